import hashlib
import io
import tarfile
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import msgspec
import pytest
import zstandard
from upath import UPath

from openai_costs.kernel.errors import PageRefused
from openai_costs.storage import archive as archive_module
from openai_costs.storage import files as files_module
from openai_costs.storage import read_names
from openai_costs.storage.archive import Archive, DayRead, open_read
from openai_costs.storage.claims import claimed
from openai_costs.storage.files import is_local, place, replace_file
from openai_costs.storage.read_names import numbered, read_at
from openai_costs_tests.processes import started

DAY = date(2026, 3, 10)
READ_AT = datetime(2026, 3, 11, 6, 30, 0, 123456, tzinfo=UTC)
LEDGER = b'{"results": [ {"amount":{"value":"0E-6176"}} ]}'
CONTROL = b'{"results":[]}'


@pytest.fixture(params=["disk", "object store"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return Archive(place(str(tmp_path) if request.param == "disk" else f"memory://{uuid4()}"))


def day_read(
    *, day: date = DAY, at: datetime = READ_AT, connection: str = "acme", ledger: bytes = LEDGER
) -> DayRead:
    params = [("start_time", "1773100800"), ("group_by[]", "project_id")]
    requests = {
        "ledger": ("/organization/costs", params, ["project_id", "line_item"]),
        "control": ("/organization/costs", params[:1], list[str]()),
    }
    bodies = {"ledger": ledger, "control": CONTROL}
    return DayRead("openai", connection, "costs", day, at, requests, bodies)


def test_a_read_comes_back_byte_for_byte(archive: Archive):
    opened = open_read(archive.keep(day_read()))
    assert dict(opened.bodies) == {"ledger": LEDGER, "control": CONTROL}
    assert opened.manifest == day_read().manifest()


def test_the_manifest_has_the_request_and_proves_the_response(archive: Archive):
    part = open_read(archive.keep(day_read())).manifest.parts["ledger"]
    assert part.params == [("start_time", "1773100800"), ("group_by[]", "project_id")]
    assert part.grouping == ["project_id", "line_item"]
    assert part.sha256 == hashlib.sha256(LEDGER).hexdigest()
    assert part.size_bytes == len(LEDGER)


def test_the_path_names_provider_connection_dataset_day_and_instant(archive: Archive):
    assert archive.keep(day_read()).path.endswith(
        "raw/openai/acme/costs/2026-03-10/r000001-20260311T063000.123456Z.tar.zst"
    )


def test_a_kept_file_opens_with_ordinary_tools(archive: Archive):
    packed = archive.keep(day_read()).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(zstandard.decompress(packed))) as tar:
        assert tar.getnames() == ["manifest.json", "ledger.json", "control.json"]
        found = tar.extractfile("ledger.json")
        assert found is not None
        assert found.read() == LEDGER


def test_the_same_read_is_the_same_bytes(archive: Archive):
    first = archive.keep(day_read()).read_bytes()
    assert archive.keep(day_read()).read_bytes() == first


def test_a_later_read_is_added_and_the_earlier_one_stays(archive: Archive):
    first = archive.keep(day_read())
    before = first.read_bytes()
    second = archive.keep(day_read(at=READ_AT + timedelta(days=1), ledger=b"{}"))
    assert archive.reads("openai", "acme", "costs", DAY) == [first, second]
    assert first.read_bytes() == before


def test_the_newest_read_of_each_day_is_found_in_the_order_asked(archive: Archive):
    later = DAY + timedelta(days=2)
    archive.keep(day_read(ledger=b"oldest"))
    archive.keep(day_read(at=READ_AT + timedelta(microseconds=1), ledger=b"newest"))
    archive.keep(day_read(day=later, ledger=b"later"))
    days = [later, DAY + timedelta(days=1), DAY]
    found = archive.newest("openai", "acme", "costs", days)
    assert [read.bodies["ledger"] for read in found] == [b"later", b"newest"]


def test_a_clock_that_was_ahead_once_does_not_decide_which_read_is_the_newest(archive: Archive):
    archive.keep(day_read(at=READ_AT + timedelta(days=400), ledger=b"clock ahead"))
    archive.keep(day_read(ledger=b"clock right again"))
    found = archive.newest("openai", "acme", "costs", [DAY])
    assert [read.bodies["ledger"] for read in found] == [b"clock right again"]


def test_reads_without_a_number_are_older_than_any_numbered_one(archive: Archive):
    kept = archive.keep(day_read(ledger=b"kept by version 0.1"))
    unnumbered = kept.parent / "20280311T063000.123456Z.tar.zst"
    unnumbered.write_bytes(kept.read_bytes())
    kept.unlink()
    archive.keep(day_read(ledger=b"kept now"))
    found = archive.newest("openai", "acme", "costs", [DAY])
    assert [read.bodies["ledger"] for read in found] == [b"kept now"]
    assert len(archive.reads("openai", "acme", "costs", DAY)) == 2


def numbers(archive: Archive) -> list[tuple[int, bytes]]:
    """The numbers of the reads of a day, and whose reads they are, in order."""
    reads = map(open_read, archive.reads("openai", "acme", "costs", DAY))
    return [(read.number, read.bodies["ledger"]) for read in reads]


def test_a_read_that_is_kept_while_another_process_writes_one_gets_another_number(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
):
    others, write = [day_read(at=READ_AT - timedelta(hours=1), ledger=b"theirs")], replace_file

    def beside(target: UPath, content: bytes, folders: set[Path] | None = None) -> None:
        if others:
            archive.keep(others.pop())
        write(target, content, folders)

    monkeypatch.setattr(archive_module, "replace_file", beside)
    archive.keep(day_read(ledger=b"ours"))
    assert numbers(archive) == [(1, b"ours"), (2, b"theirs")]
    archive.keep(day_read(at=READ_AT + timedelta(hours=1), ledger=b"next"))
    assert numbers(archive)[2:] == [(3, b"next")]


def test_a_number_that_another_process_used_since_the_folder_was_listed_is_not_used_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
):
    others, claim = [day_read(at=READ_AT - timedelta(hours=1), ledger=b"theirs")], claimed

    def later(name: UPath) -> AbstractContextManager[bool]:
        if others:
            archive.keep(others.pop())
        return claim(name)

    monkeypatch.setattr(read_names, "claimed", later)
    archive.keep(day_read(ledger=b"ours"))
    assert numbers(archive) == [(1, b"theirs"), (2, b"ours")]


def keep_many(home: str, first: datetime, count: int) -> None:
    """A process of its own: keep some reads of one day."""
    for hours in range(count):
        Archive(place(home)).keep(day_read(at=first + timedelta(hours=hours)))


def test_two_processes_that_keep_reads_of_one_day_give_each_a_number_of_its_own(tmp_path: Path):
    both = [started(keep_many, str(tmp_path), READ_AT + timedelta(days=n), 20) for n in (0, 5)]
    for one in both:
        one.join()
    kept = [number for number, _ in numbers(Archive(place(str(tmp_path))))]
    assert ([one.exitcode for one in both], len(kept)) == ([0, 0], 40)
    assert len(set(kept)) == 40
    assert list(tmp_path.rglob("*.tmp")) == []


def test_one_who_was_killed_before_it_wrote_its_read_leaves_no_read_and_holds_up_no_one(
    archive: Archive,
):
    folder = archive.folder_of("openai", "acme", "costs", DAY)
    replace_file(folder.parent / f".{folder.name}.r000001.tmp", b"")
    assert archive.days("openai", "acme", "costs") == []
    assert numbers(archive) == []
    archive.keep(day_read(ledger=b"first"))
    archive.keep(day_read(at=READ_AT + timedelta(hours=1), ledger=b"second"))
    first = 1 if is_local(folder) else 2
    assert numbers(archive) == [(first, b"first"), (first + 1, b"second")]


def test_where_an_earlier_version_gave_two_reads_one_number_the_next_is_the_newest(
    archive: Archive,
):
    kept = archive.keep(day_read(ledger=b"one"))
    other = kept.parent / numbered(1, READ_AT + timedelta(hours=1))
    replace_file(other, archive.keep(day_read(connection="labs", ledger=b"other")).read_bytes())
    archive.keep(day_read(at=READ_AT - timedelta(hours=1), ledger=b"next"))
    assert numbers(archive) == [(1, b"one"), (1, b"other"), (2, b"next")]


def test_connections_do_not_see_each_others_reads(archive: Archive):
    archive.keep(day_read(connection="acme"))
    assert archive.reads("openai", "labs", "costs", DAY) == []


def test_a_day_that_was_never_read_has_no_reads(archive: Archive):
    assert archive.reads("openai", "acme", "costs", DAY) == []
    assert list(archive.newest("openai", "acme", "costs", [DAY])) == []


def test_a_half_written_file_is_not_a_read(tmp_path: Path):
    archive = Archive(UPath(tmp_path))
    kept = archive.keep(day_read())
    (kept.parent / f".{uuid4()}.tmp").write_bytes(b"half")
    assert archive.reads("openai", "acme", "costs", DAY) == [kept]


def test_the_instant_of_a_read_is_in_its_name(archive: Archive):
    assert read_at(archive.keep(day_read())) == READ_AT


def test_an_instant_in_another_zone_is_filed_under_utc(archive: Archive):
    tokyo = READ_AT.astimezone(timezone(timedelta(hours=9)))
    assert read_at(archive.keep(day_read(at=tokyo))) == READ_AT
    assert open_read(archive.keep(day_read(at=tokyo))).manifest.read_at == READ_AT


def test_a_person_is_shown_the_path_of_the_page(archive: Archive):
    kept = archive.keep(day_read())
    assert open_read(kept).page == str(kept)


def test_a_large_day_comes_back_whole(archive: Archive):
    ledger = b'{"results": [' + b",".join([b'{"a": 1}'] * 300_000) + b"]}"
    kept = archive.keep(day_read(ledger=ledger))
    assert open_read(kept).bodies["ledger"] == ledger
    assert len(kept.read_bytes()) * 100 < len(ledger)


def test_the_note_of_a_connection_is_no_read(archive: Archive):
    note = archive.note("openai", "acme")
    assert note.path.endswith("raw/openai/acme/learned.json")
    assert archive.reads("openai", "acme", "costs", DAY) == []


def test_a_manifest_is_json_that_a_person_can_read(archive: Archive):
    packed = zstandard.decompress(archive.keep(day_read()).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = tar.extractfile("manifest.json")
        assert found is not None
        said = found.read()
    assert msgspec.json.decode(said)["connection"] == "acme"
    assert said.count(b"\n") > 10


def test_every_read_of_every_day_comes_back_day_by_day_as_it_was_kept(archive: Archive):
    days = [DAY, DAY + timedelta(days=1)]
    instants = [READ_AT, READ_AT + timedelta(hours=1)]
    for day in reversed(days):
        for at in instants:
            archive.keep(day_read(day=day, at=at))
    archive.keep(day_read(connection="labs"))
    found = list(archive.every("openai", "acme", "costs"))
    assert [(read.manifest.day, read.manifest.read_at) for read in found] == [
        (day, at) for day in days for at in instants
    ]
    assert list(archive.every("openai", "acme", "directory")) == []


def test_a_damaged_file_among_all_reads_is_reported_and_the_others_come_back(tmp_path: Path):
    archive = Archive(place(str(tmp_path)))
    broken = archive.keep(day_read())
    archive.keep(day_read(day=DAY + timedelta(days=1)))
    broken.write_bytes(b"nothing of the kind")
    damaged, whole = archive.every("openai", "acme", "costs")
    assert (damaged.connection, damaged.day) == ("acme", DAY)
    assert whole.manifest.day == DAY + timedelta(days=1)


def test_the_connections_are_those_that_anything_is_kept_of(archive: Archive):
    assert archive.connections("openai") == []
    for connection in ("labs", "acme"):
        archive.keep(day_read(connection=connection))
    assert archive.connections("openai") == ["acme", "labs"]
    assert archive.connections("anthropic") == []


def test_a_read_that_was_copied_to_another_day_is_refused(archive: Archive):
    kept = archive.keep(day_read())
    copy = archive.keep(day_read(day=DAY + timedelta(days=1)))
    copy.write_bytes(kept.read_bytes())
    with pytest.raises(PageRefused, match="is a copy of 2026-03-10"):
        open_read(copy)


def test_foreign_files_and_folders_in_the_archive_are_no_connection_no_day_and_no_read(
    tmp_path: Path,
):
    archive = Archive(place(str(tmp_path)))
    kept = Path(str(archive.keep(day_read())))
    for folder in (tmp_path / "raw", *kept.parents[:4]):
        (folder / ".DS_Store").write_bytes(b"Bud1")
        (folder / "notes (1).txt").write_bytes(b"mine")
    kept.with_name(f"{kept.name.removesuffix('.tar.zst')} (1).tar.zst").write_bytes(b"copied")
    (kept.parents[1] / "copy of 2026-03-10").mkdir()
    assert archive.connections("openai") == ["acme"]
    assert [str(read.path) for read in archive.every("openai", "acme", "costs")] == [str(kept)]
    assert len(list(archive.newest_first("openai", "acme", "costs"))) == 1
    assert archive.reads("openai", "acme", "costs", DAY) == [UPath(kept)]


def test_the_names_of_many_reads_are_on_the_disk_when_their_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    for module in (archive_module, files_module):
        monkeypatch.setattr(module, "flush_folder", flushed.append)
    archive = Archive(UPath(tmp_path))
    with suppress(ZeroDivisionError), archive.batch() as keep:
        for hours in range(2):
            keep(day_read(at=READ_AT + timedelta(hours=hours)))
        keep(day_read(day=date(2026, 3, 11)))
        assert flushed == []
        raise ZeroDivisionError
    folders = [tmp_path / "raw/openai/acme/costs" / name for name in ("2026-03-10", "2026-03-11")]
    assert sorted(flushed) == folders
    archive.keep(day_read())
    assert sorted(flushed) == [folders[0], *folders]


def test_a_folder_that_went_before_its_block_ended_is_no_error(tmp_path: Path) -> None:
    archive = Archive(UPath(tmp_path))
    with archive.batch() as keep:
        rmtree(keep(day_read())[0].parent)
    assert archive.reads("openai", "acme", "costs", DAY) == []
