"""A home on a real S3 server: written by two machines at once, killed, damaged, and counted."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import fsspec
import pytest

from openai_costs.cli.commands import main
from openai_costs.cli.healing import healed
from openai_costs.cli.stored_damage import damaged_files
from openai_costs.orchestration.jobs import REBUILD
from openai_costs.outputs.publish import database
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.verification import verify
from openai_costs.settings.at_rest import Storage
from openai_costs.storage import leases, writers
from openai_costs.storage.archive import Archive
from openai_costs.storage.commits import path_of
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.files import content_of, place
from openai_costs.storage.home import refuse_unusable
from openai_costs.storage.lake import Lake
from openai_costs.storage.leases import note_file, note_of_mine
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.protection import (
    ask_for_encryption,
    refuse_unencrypted,
    store_encryption,
)
from openai_costs.storage.read_names import read_number
from openai_costs.storage.record import Entry, Record
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend import Spend as Spending
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import MONEY, NOW, ORGANISATION, House, added, day, days, house
from openai_costs_tests.processes import started
from openai_costs_tests.s3_server import BUCKET
from openai_costs_tests.storage.test_archive import DAY, READ_AT, keep_many
from openai_costs_tests.storage.test_lake import A1, A2, NOON, held, read
from openai_costs_tests.test_processes import die_at_the_commit_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from decimal import Decimal
    from multiprocessing.context import ForkServerProcess

    from upath import UPath

    from openai_costs.settings.load import Settings
    from openai_costs.tables.contract import Contract
    from openai_costs_tests.s3_server import S3Server

FIRST, LAST = day(17), day(18)
NAMES: Final = ("harbour", "ferry")


@dataclass
class Machine(House):
    """A house that reads one of its connections only."""

    only: str = ""

    @property
    def settings(self) -> Settings:
        return super().settings.only(self.only)


def machine(home: str, only: str) -> Machine:
    both = house(Path("elsewhere"), *NAMES, now=NOW)
    return Machine(home, both.connections, both.clock, both.transports, only=only)


def refresh(environment: Mapping[str, str], home: str, only: str, dies_at: str, last: date) -> None:
    """A machine: its own process, which knows the others by nothing but the store."""
    os.environ.update(environment)
    made = machine(home, only)
    if dies_at:
        die_at_the_commit_to(dies_at, is_after=False)
    if not made.run(FIRST, last, only=MONEY).is_green:
        raise SystemExit("the run was red")


@pytest.fixture(autouse=True)
def found(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def home(tmp_path: Path) -> UPath:
    return place(f"s3://{BUCKET}/{tmp_path.name}")


def publish_from(
    s3: S3Server, home: UPath, only: str, dies_at: str = "", last: date = LAST
) -> ForkServerProcess:
    return started(refresh, s3.environment, str(home), only, dies_at, last)


def published(home: UPath, scratch: Path) -> list[tuple[str, Decimal]]:
    copy = scratch / "published.duckdb"
    copy.write_bytes((home / "published/openai_costs.duckdb").read_bytes())
    with duckdb.connect(str(copy), read_only=True) as sql:
        question = "SELECT connection, sum(billed_usd) FROM mart.spend GROUP BY 1 ORDER BY 1"
        return sql.execute(question).fetchall()


def test_two_machines_on_the_same_days_publish_exact_totals_also_after_one_was_killed(
    s3: S3Server, home: UPath, tmp_path: Path
) -> None:
    bill = (line for one in days(FIRST, LAST) for line in ORGANISATION.ledger(one, NOW))
    truth = added(line.amount for line in bill)
    both = [publish_from(s3, home, "harbour"), publish_from(s3, home, "ferry", "mart/spend")]
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, -9]
    exact = [("ferry", truth), ("harbour", truth)]
    assert published(home, tmp_path) in ([exact[1]], exact)  # harbour may have derived for both
    again = publish_from(s3, home, "ferry")
    again.join()
    assert again.exitcode == 0
    assert published(home, tmp_path) == exact
    settings = machine(str(home), "harbour").settings
    verified = verify(settings, lambda _: None)
    assert (verified.holds, verified.billed_usd) == (True, 2 * truth)


def keep(environment: Mapping[str, str], home: str, first: datetime) -> None:
    os.environ.update(environment)
    keep_many(home, first, 8)


def test_two_machines_that_keep_reads_of_one_day_give_each_a_number_of_its_own(
    s3: S3Server, home: UPath
) -> None:
    at = READ_AT + timedelta(days=5)
    both = [started(keep, s3.environment, str(home), one) for one in (READ_AT, at)]
    for one in both:
        one.join()
    kept = Archive(home).reads("openai", "acme", "costs", DAY)
    assert ([one.exitcode for one in both], len(kept)) == ([0, 0], 16)
    assert len(set(map(read_number, kept))) == 16
    assert [path for path in home.fs.find(home.path) if path.endswith(".tmp")] == []


@pytest.mark.parametrize("last_step", ["build_focus", "put_in_place"])
def test_a_machine_that_stood_still_while_another_published_does_not_put_its_older_state_there(
    last_step: str, s3: S3Server, home: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = added(line.amount for line in ORGANISATION.ledger(FIRST, NOW))
    publish_from(s3, home, "harbour", last=FIRST).join()
    step: Callable[..., object] = getattr(database, last_step)
    stops = [True]

    def stopped(*arguments: object) -> object:
        if stops:
            stops.clear()
            taken_over(home / "published/.publishing.lock")
            publish_from(s3, home, "ferry", last=FIRST).join()
        return step(*arguments)

    monkeypatch.setattr(database, last_step, stopped)
    harbour = machine(str(home), "harbour")
    done = publish(home, harbour.lake)
    exact = [("ferry", truth), ("harbour", truth)]
    assert (stops, published(home, tmp_path)) == ([], exact)
    assert done.daily["connection"].to_list() == ["ferry", "harbour"]
    assert verify(harbour.settings, lambda _: None).holds


def taken_over(lock: UPath) -> None:
    """What is left of a lock whose holder stood still, when another took it and gave it back."""
    [note] = lock.iterdir()
    note_file(lock, int(note.stem) + 1).write_bytes(note_of_mine(is_free=True))
    note.unlink()


def test_a_connection_of_the_store_keeps_its_days_under_another_name(home: UPath) -> None:
    made = house(Path("elsewhere"), "harbour", now=NOW)
    made.home = str(home)
    assert made.run(FIRST, LAST, only=MONEY).is_green
    [harbour] = made.connections
    made.connections = (harbour.model_copy(update={"name": "port"}),)
    made.transports = {"port": made.transports["harbour"]}
    assert made.run(LAST, LAST, only=MONEY).is_green
    assert not made.archive.newest_at("openai", "harbour", "costs")
    assert sorted(made.archive.newest_at("openai", "port", "costs")) == [FIRST, LAST]
    slices = made.lake.slices(Spending)
    assert slices.select("connection", "day").rows() == [("port", FIRST), ("port", LAST)]
    assert verify(made.settings, lambda _line: None).holds


def test_a_damaged_data_file_of_the_store_is_named_set_aside_and_made_again(home: UPath) -> None:
    one = machine(str(home), "harbour")
    only = ("raw/openai_costs", "core/spend", "core/spend_control")
    assert one.run(FIRST, FIRST, only=only).is_green
    before = one.lake.read(Spending)
    [file] = [path for path in (home / "lake/core/spend").rglob("*.parquet") if is_data(path)]
    file.write_bytes(file.read_bytes()[:-40] + bytes(40))
    assert any(f"{file} has changed" in line for line in damaged_files(home))
    lines: list[str] = []
    [step] = healed(one.settings, NOW.date(), lines.append, is_deep=True)
    assert (step.days.first, len(lines)) == (FIRST, 1)
    assert (home / "set_aside/lake/core/spend" / file.name).exists()
    assert one.run(FIRST, FIRST, job=REBUILD, only=only[1:]).is_green
    assert Lake(home).read(Spending).equals(before)
    assert damaged_files(home) == []


def test_a_data_file_that_is_missing_in_the_store_is_made_again_by_a_plain_backfill(
    home: UPath,
) -> None:
    one = machine(str(home), "harbour")
    assert one.run(FIRST, FIRST, only=MONEY).is_green
    before = one.lake.read(Spending)
    [file] = [path for path in (home / "lake/core/spend").rglob("*.parquet") if is_data(path)]
    file.unlink()
    lines: list[str] = []
    [step] = healed(one.settings, NOW.date(), lines.append)
    assert (step.days.first, lines) == (
        FIRST,
        [line for line in lines if f"{file} is missing" in line],
    )
    assert one.run(FIRST, FIRST, job=REBUILD, only=MONEY).is_green
    assert Lake(home).read(Spending).equals(before)


NO_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": None,
    "AWS_SECRET_ACCESS_KEY": None,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_CONFIG_FILE": "/nowhere",
}
ADDRESS, RIGHTS = "the address of the store, the network and", "the credentials, and which rights"


class Unusable(NamedTuple):
    """A mistake about a store, and what is said of it."""

    cause: str
    remedy: str
    variables: Mapping[str, str | None] = MappingProxyType({})
    bucket: str = BUCKET


@pytest.mark.parametrize(
    "mistake",
    [
        Unusable("Unable to locate credentials", ADDRESS, NO_CREDENTIALS),
        Unusable("The request signature", RIGHTS, {"AWS_SECRET_ACCESS_KEY": "x"}),
        Unusable("Could not connect", ADDRESS, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        Unusable("The specified bucket does not exist", "Create it, or", bucket="elsewhere"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_with_the_place_the_cause_and_what_to_do(
    mistake: Unusable,
    home: UPath,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refuse_unusable(home)
    for name, value in mistake.variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    type(home.fs).clear_instance_cache()
    url = f"s3://{mistake.bucket}/{home.name}"
    for command in ("findings", "backfill", "verify", "deliver"):
        monkeypatch.setattr(sys, "argv", ["openai-costs", command, "--home", url])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n")) == ("", 1)
        assert printed.err.startswith(f"{url} cannot be read: {mistake.cause}")
        assert mistake.remedy in printed.err
        assert ".." not in printed.err.replace(url, "")
    type(home.fs).clear_instance_cache()


@pytest.mark.parametrize("table", [SpendControl, Coverage])
def test_a_table_of_the_store_whose_log_is_damaged_is_set_aside_whole_and_made_again(
    home: UPath, table: type[Contract]
) -> None:
    one = machine(str(home), "harbour")
    assert one.run(FIRST, FIRST, only=MONEY).is_green
    before, place_of = one.lake.read(table), path_of(table)
    *_, newest = sorted((home / "lake" / place_of / "_delta_log").glob("*.json"), key=str)
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    lines: list[str] = []
    [step] = healed(one.settings, NOW.date(), lines.append)
    assert lines == [line for line in lines if place_of in line]
    [aside] = (home / "set_aside/lake" / place_of).parent.iterdir()
    assert (aside / "_delta_log" / newest.name).exists()
    assert not list((home / "lake" / place_of / "_delta_log").glob("*"))
    assert one.run(step.days.first, step.days.last, job=REBUILD, only=MONEY).is_green
    assert Lake(home).read(table).equals(before)
    assert damaged_files(home) == []
    assert verify(one.settings, lambda _: None).holds


def test_with_encryption_required_every_object_of_a_home_rests_encrypted(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsspec.config, "conf", {})
    required = Storage(encryption="required")
    assert store_encryption(home) == ""
    ask_for_encryption(required)
    type(home.fs).clear_instance_cache()
    asking = place(str(home))
    refuse_unencrypted(asking, required)
    one = machine(str(asking), "harbour")
    assert one.run(FIRST, FIRST, only=("raw/openai_costs", "core/spend")).is_green
    objects = [str(path).partition("/")[2] for path in asking.fs.find(asking.path)]
    heads = [asking.fs.call_s3("head_object", Bucket=BUCKET, Key=key) for key in objects]
    kept = {key for key in objects if key.endswith((".parquet", ".json", ".zst"))}
    assert len(kept) > 3
    assert {one.get("ServerSideEncryption") for one in heads} == {"AES256"}
    type(home.fs).clear_instance_cache()


def is_data(path: UPath) -> bool:
    return "_delta_log" not in str(path)


def test_a_lake_is_written_replaced_and_read(home: UPath) -> None:
    lake = Lake(home)
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (A2, "ada", "2"), replaces=(A1, A2))])
    lake.replace(SpendByUser, [read((A1, "eve", "3"), replaces=(A1,), at=NOON)])
    assert [row[1:3] for row in held(Lake(home))] == [(day(1), "eve"), (day(2), "ada")]
    assert [when for when, _ in lake.daily_usd(SpendByUser).rows()] == [day(1), day(2)]
    assert Lake(home).reads(SpendByUser).get(A1) == NOON


def test_one_more_day_costs_the_same_requests_after_two_days_as_after_twenty(
    s3: S3Server, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine a lock is held for so long that it is renewed, which is a request too.
    for module in (leases, writers):
        monkeypatch.setattr(module, "BEAT_SECONDS", 600.0)
    after_two = requests_for_the_day_after(s3, home / "two", 2)
    # What ends beside it on a busy machine asks a few times; each day would ask once at least.
    assert requests_for_the_day_after(s3, home / "twenty", 20) - after_two < 20 - 2


def test_what_others_replace_meanwhile_is_read_in_one_request(s3: S3Server, home: UPath) -> None:
    """A driver that asks for the size first finds a note that was renewed since, and fails."""
    note = home / "note.json"
    note.write_bytes(b"{}")
    counts = []
    for _ in range(5):  # the server also counts what others ask in between
        before = s3.requests()
        assert content_of(note) == b"{}"
        counts.append(s3.requests() - before)
    assert min(counts) == 1
    with pytest.raises(FileNotFoundError):
        content_of(home / "none.json")


def test_a_lock_is_held_while_its_holder_renews_it(home: UPath) -> None:
    lock, ended = home / ".lock", Event()
    with leases.leased(lock, 5) as lease:
        note = note_file(lock, 1)

        def renew() -> None:
            beat = 0
            while not ended.is_set():
                beat += 1
                note.write_bytes(note_of_mine(is_free=False, beat=beat))

        renewing = Thread(target=renew)
        renewing.start()
        try:
            for _ in range(50):
                lease.still_held()
        finally:
            ended.set()
            renewing.join()


def requests_for_the_day_after(s3: S3Server, home: UPath, last: int) -> int:
    """The fewest requests of three days: the server also counts what others ask in between."""
    keys = [Slice("acme", day(number)) for number in range(1, last + 4)]
    old, new = keys[:last], keys[last:]
    several = [(key, "ada", "1") for key in old]
    Lake(home).replace(SpendByUser, [read(*several, replaces=tuple(old))])
    counts = []
    for held_days, key in enumerate(new, last + 1):
        close_all()  # as another process begins
        before, lake = s3.requests(), Lake(home)
        lake.replace(SpendByUser, [read((key, "ada", "1"), replaces=(key,))])
        assert lake.daily_usd(SpendByUser).height == held_days
        assert len(lake.days(SpendByUser, "acme")) == held_days
        counts.append(s3.requests() - before)
    return min(counts)


def test_of_two_machines_that_add_the_same_entry_to_the_record_the_store_refuses_one(
    home: UPath,
) -> None:
    Record(home).append("mutes", 1, Entry([{"finding_id": "a"}]))
    with pytest.raises(WriteConflict):
        Record(home).append("mutes", 1, Entry([{"finding_id": "b"}]))
    Record(home).append("mutes", 2, Entry([{"finding_id": "b"}]))
    assert [*Record(home).folded("mutes", ("finding_id",)).rows] == [("a",), ("b",)]
    (home / "record/mutes/00000001.json").write_bytes(b"{}")
    [damage] = Record(home).folded("mutes", ("finding_id",)).damage
    Record(home).restore("mutes", damage, Entry([{"finding_id": "a"}]))
    assert Record(home).folded("mutes", ("finding_id",)).damage == []
    assert (home / "set_aside/record/mutes/00000001.json").read_bytes() == b"{}"


def test_what_another_process_has_just_added_is_there(home: UPath) -> None:
    (home / "a/1.json").write_bytes(b"mine")
    assert [one.name for one in (home / "a").iterdir()] == ["1.json"]
    other = fsspec.filesystem("s3", skip_instance_cache=True)
    other.pipe_file(f"{BUCKET}/{home.name}/a/2.json", b"theirs")
    assert (home / "a/2.json").exists()
    assert sorted(one.name for one in (home / "a").iterdir()) == ["1.json", "2.json"]


READS: Final = """
import sys
from openai_costs.storage.files import content_of, place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend as Spending
from openai_costs.tables.core.spend_by_user import SpendByUser
print(Lake(place(sys.argv[1])).daily_usd(SpendByUser).height)
"""


def test_a_process_that_read_the_store_ends_without_a_word(home: UPath) -> None:
    Lake(home).replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    command = [sys.executable, "-c", READS, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert (done.stdout, done.stderr) == ("1\n", "")
