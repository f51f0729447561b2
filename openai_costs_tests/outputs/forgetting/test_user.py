from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.outputs.forgetting import user
from openai_costs.outputs.forgetting.byte_scan import scan
from openai_costs.outputs.forgetting.user import forgetting
from openai_costs.storage.archive import DayRead, open_read
from openai_costs.storage.files import place
from openai_costs.storage.forget_key import key_file
from openai_costs.storage.forgotten import home_key
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import house
from openai_costs_tests.outputs.alerts.fixtures import finding

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs_tests.org import House

DAY, AT = date(2026, 11, 20), datetime(2026, 11, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
ADA: Final = ("p-1815-ada", "Ada Lovelace", "ada@acme.example")
PAGE: Final = json.dumps(
    [{"user": ADA[0], "email": ADA[2], "usd": 1.5}, {"user": "p-bob"}]
).encode()


def read(body: bytes, at: datetime = AT) -> DayRead:
    parts = {"ledger": ("/costs", list[tuple[str, str]](), list[str]())}
    return DayRead("openai", "acme", "costs", DAY, at, parts, {"ledger": body})


def engineers(*people: tuple[str, str, str]) -> pl.DataFrame:
    rows = [
        {"person_id": one, "name": name, "email": email, "status": "active", "is_trusted": True}
        for one, name, email in people
    ]
    frame = pl.DataFrame(rows, schema_overrides={"is_trusted": pl.Boolean()})
    missing = [
        pl.lit(None, kind).alias(name)
        for name, kind in Engineers.types().items()
        if name not in frame.columns
    ]
    return (
        frame.with_columns(missing)
        .with_columns(origin=pl.lit("people.csv"))
        .select(list(Engineers.types()))
    )


def knowing_ada(folder: Path) -> House:
    """A home that knows Ada from a page, a table, a file of a killed writer and the history."""
    made = house(folder / "home", "acme")
    made.archive.keep(read(PAGE))
    people = [ADA, ("p-bob", "Bob Smith", "bob@acme.example"), ("p-2", "Bob Smith", "b@x.example")]
    made.lake.replace_whole(Engineers, engineers(*people))
    home = made.lake.root.parent
    engineers(ADA).write_parquet(str(home / "lake/core/engineers/part-of-a-killed-writer.parquet"))
    (home / "dagster/history").mkdir(parents=True)
    with closing(sqlite3.connect(str(home / "dagster/history/runs.db"))) as sql, sql:
        sql.execute("CREATE TABLE runs (body TEXT)")
        sql.execute("INSERT INTO runs VALUES (?)", [json.dumps({"why": f"{ADA[1]} spent"})])
    return made


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """Such a home, so that a test may do to it what it likes; nothing is published from it."""
    monkeypatch.chdir(tmp_path)  # the settings of a house, and so the key, are in this folder
    for publishing in ("publish", "write_report"):
        monkeypatch.setattr(user, publishing, lambda *_: None)
    return knowing_ada(tmp_path)


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, list[str]]:
    """A home that also has a part of her name and settings with it; Ada was forgotten there."""
    folder = tmp_path_factory.mktemp("forgotten")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = knowing_ada(folder)
        parts = {f"user.{ADA[0]}": ("/bill", [("user", ADA[0])], ["user_id"])}
        one = DayRead("github_copilot", "hub", "costs", DAY, AT, parts, {f"user.{ADA[0]}": b"{}"})
        made.archive.keep(one)
        teams = f'[[teams]]\nname = "labs"\nusers = ["{ADA[0]}"]\n'
        made.settings.config_file.write_text(teams)
        return made, forget(made, "ADA@acme.example")


def key_of(there: House) -> Path:
    return key_file(there.settings.config_file, place(there.settings.home))


def forget(there: House, text: str) -> list[str]:
    said: list[str] = []
    assert forgetting(there.settings, text).carry_out(NOW, said.append)
    return said


def test_without_consent_it_says_what_it_would_do_and_changes_nothing(there: House) -> None:
    home = there.lake.root.parent
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    [where, what] = forgetting(there.settings, "ada lovelace").plan()
    assert where.startswith("Ada Lovelace (p-1815-ada) is in 4 places below ")
    assert "Nothing was changed. With --yes" in what
    assert {file: file.read_bytes() for file in before} == before


def test_a_damaged_file_that_was_set_aside_goes_with_the_rest(there: House) -> None:
    damaged = there.lake.root.parent / "set_aside/lake/part.parquet"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"PAR1" + b"x" * 5000)
    assert "0 places left." in " ".join(forget(there, ADA[0]))
    assert not damaged.exists()


def test_no_byte_that_names_a_person_is_left_and_others_stay(
    forgotten: tuple[House, list[str]],
) -> None:
    there, lines = forgotten
    home = there.lake.root.parent
    assert scan(home, ADA).places == []
    assert "5 places before, 0 places left." in " ".join(lines)
    people = there.lake.read(Engineers)
    assert sorted(people["name"])[:2] == ["Bob Smith", "Bob Smith"]
    assert people.filter(pl.col("email").str.ends_with("@forgotten.invalid")).height == 1
    proof = (home / "record/forgettings/00000001.json").read_text()
    assert '"places_left":0' in proof


def test_evidence_says_that_it_was_rewritten_and_keeps_its_amounts(
    forgotten: tuple[House, list[str]],
) -> None:
    there, _ = forgotten
    kept = open_read(there.archive.reads("openai", "acme", "costs", DAY)[0])
    [ada, bob] = json.loads(kept.bodies["ledger"])
    assert (ada["usd"], bob["user"]) == (1.5, "p-bob")
    assert ada["user"].startswith("p-forgotten-")
    [rewritten] = kept.manifest.rewritten
    assert rewritten.at == NOW
    assert rewritten.after["ledger"] == kept.manifest.parts["ledger"].sha256
    assert rewritten.before["ledger"] == read(PAGE).manifest().parts["ledger"].sha256


def test_later_reads_and_lists_do_not_bring_a_person_back(there: House) -> None:
    forget(there, "p-1815-ada")
    later = there.archive.keep(read(PAGE, NOW))
    there.lake.replace_whole(Engineers, engineers(ADA))
    assert scan(there.lake.root.parent, ADA).places == []
    [rewritten] = open_read(later).manifest.rewritten
    assert set(rewritten.before) == {"ledger"}
    assert there.lake.read(Engineers)["person_id"][0].startswith("p-forgotten-")


MARRIED: Final = (ADA[0], "Ada King-Noel", "king@new.example")


def named_anew(there: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What versions that knew single texts alone kept of someone with a new name and address."""
    page = [{"user_id": MARRIED[0], "name": MARRIED[1], "email": MARRIED[2], "usd": 1.5}]
    with monkeypatch.context() as patch:
        patch.setattr(Pseudonyms, "_of_record", lambda *_: {})
        there.archive.keep(read(json.dumps([*page, {"actor": MARRIED[2]}]).encode(), NOW))
        there.lake.replace_whole(Engineers, engineers(MARRIED))
        told = finding(because=f"$5.00 of {MARRIED[1]}")
        there.lake.replace_whole(Findings, findings_frame([told]))


def test_later_reads_and_lists_with_a_new_name_do_not_bring_a_person_back(there: House) -> None:
    forget(there, ADA[0])
    page = [{"user_id": MARRIED[0], "name": MARRIED[1], "email": MARRIED[2], "usd": 1.5}]
    there.archive.keep(read(json.dumps(page).encode(), NOW))
    there.lake.replace_whole(Engineers, engineers(MARRIED))
    assert scan(there.lake.root.parent, MARRIED).places == []
    assert there.lake.read(Engineers)["name"][0].startswith("Forgotten person ")


@pytest.mark.parametrize("text", [ADA[0], ADA[2], ADA[1], MARRIED[2], MARRIED[1]])
def test_someone_who_came_back_with_a_new_name_is_forgotten_again(
    there: House, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    home = there.lake.root.parent
    forget(there, ADA[0])
    assert there.archive.forgotten is not None
    before = [there.archive.forgotten.text(one) for one in ADA]
    named_anew(there, monkeypatch)
    assert len(scan(home, MARRIED[1:]).places) == 4  # page, two tables, record
    lines = " ".join(forget(there, text))
    assert "0 places left." in lines
    assert scan(home, (*ADA, *MARRIED)).places == []
    [ada] = there.lake.read(Engineers).rows(named=True)
    assert (ada["person_id"], ada["name"]) == (before[0], before[1])
    assert f"is {before[1]} from now on" in lines.replace(before[0], before[1])
    assert there.lake.read(Findings)["because"].to_list() == [f"$5.00 of {before[1]}"]


def test_names_and_addresses_of_before_go_from_old_pages_too(there: House) -> None:
    home = there.lake.root.parent
    member = dict(zip(("id", "name", "email"), MARRIED, strict=True))
    there.archive.keep(read(json.dumps([member]).encode()))
    there.archive.keep(read(json.dumps({"actor": MARRIED[2]}).encode(), NOW))
    assert set(forgetting(there.settings, ADA[0]).texts) > {*ADA, *MARRIED}
    forget(there, ADA[0])
    assert scan(home, MARRIED).places == []


def test_a_pseudonym_of_whom_nothing_is_left_is_a_sentence(there: House) -> None:
    forget(there, ADA[0])
    assert there.archive.forgotten is not None
    pseudonym = there.archive.forgotten.identifier(ADA[0])
    with pytest.raises(SettingsError, match="is someone who was forgotten, and nothing in"):
        forgetting(there.settings, pseudonym)


def test_a_request_and_a_part_that_name_a_person_are_rewritten_too(
    forgotten: tuple[House, list[str]],
) -> None:
    there, _ = forgotten
    kept = open_read(there.archive.reads("github_copilot", "hub", "costs", DAY)[-1])
    [(name, part)] = kept.manifest.parts.items()
    assert name == f"user.{part.params[0][1]}"
    assert name.startswith("user.p-forgotten-")
    assert len(kept.manifest.rewritten) == 1


def test_of_two_people_with_one_name_only_one_is_forgotten(there: House) -> None:
    both = [f"Bob Smith \u00b7 {one} spent $5.00" for one in ("p-bob", "p-2")]
    some = [finding(because=text, finding_id=str(n)) for n, text in enumerate(both)]
    there.lake.replace_whole(Findings, findings_frame(some))
    lines = " ".join(forget(there, "p-bob"))
    people = there.lake.read(Engineers).filter(pl.col("person_id") == "p-2")
    assert people["name"].to_list() == ["Bob Smith"]
    names = there.lake.read(Engineers)["name"].to_list()
    assert sum(name.startswith("Forgotten person ") for name in names) == 1
    assert "Bob Smith is the name of others too" in lines
    first, second = there.lake.read(Findings)["because"].sort()
    assert (first, "p-bob" in second) == (both[1], False)


def killed_half_way(there: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("openai_costs.storage.rewriting.purge_lake", killed)
        with pytest.raises(KeyboardInterrupt):
            forgetting(there.settings, ADA[0]).carry_out(NOW, print)


def test_a_forgetting_that_was_killed_half_way_is_finished_by_the_next(
    there: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = there.lake.root.parent
    killed_half_way(there, monkeypatch)
    assert scan(home, ADA).places != []
    assert scan(home / "record", ADA).places == []
    again = forgetting(there.settings, ADA[2])
    in_findings = f"{ADA[1]} \u00b7 {ADA[0][-6:]}"
    assert set(again.texts) == {*ADA, in_findings}  # also what no list has any more
    lines = forget(there, ADA[2])
    assert scan(home, ADA).places == []
    assert "killed" not in " ".join(lines)
    assert [one.name for one in home.parent.glob("*forget-key*")] == [key_of(there).name]


def test_what_a_killed_forgetting_knew_and_cannot_be_read_is_a_sentence(
    there: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_half_way(there, monkeypatch)
    [mask] = there.lake.root.parent.parent.glob("*forget-key.*")
    mask.write_bytes(b"another one")
    assert "only what is found of them now was searched" in " ".join(forget(there, ADA[2]))


def test_a_key_in_a_folder_with_the_name_of_the_person_is_found_again(
    there: House, tmp_path: Path
) -> None:
    theirs = tmp_path / ADA[0]
    (tmp_path / "home").rename(theirs.with_name("moved"))
    theirs.mkdir()
    theirs.with_name("moved").rename(theirs / "home")
    settings = there.settings.model_copy(
        update={"home": str(theirs / "home"), "config_file": theirs / "openai_costs.toml"}
    )
    assert forgetting(settings, ADA[0]).carry_out(NOW, print)
    key = home_key(place(settings.home))
    assert key is not None
    assert key.file == theirs / "openai_costs.forget-key"


def test_a_name_of_two_people_is_refused_with_both(there: House) -> None:
    with pytest.raises(SettingsError, match=r"'bob smith' is the name of 2 people: Bob Smith"):
        forgetting(there.settings, "bob smith")


def test_someone_who_is_not_there_is_refused(there: House) -> None:
    with pytest.raises(SettingsError, match=r"There is no one with the id, name or address 'eve'"):
        forgetting(there.settings, "eve")


def test_the_key_is_for_its_owner_alone_and_never_below_the_home(
    there: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(there, ADA[0])
    key = key_of(there)
    assert key.stat().st_mode & 0o777 == 0o600
    assert not key.is_relative_to(str(there.lake.root.parent))
    key.rename(key.with_suffix(".elsewhere"))
    monkeypatch.setattr("openai_costs.storage.forgotten._loaded", {})  # as in another process
    with pytest.raises(SettingsError, match="forgets people by a key that is not there"):
        there.archive.keep(read(PAGE, NOW))


def test_who_signed_a_mute_with_a_first_name_is_listed_and_forgotten_by_it(there: House) -> None:
    one = replace(finding(), acknowledged_by="Ada", acknowledged_day=DAY)
    there.lake.replace_whole(Findings, findings_frame([one]))
    [_, maybe, _] = forgetting(there.settings, ADA[0]).plan()
    assert maybe.startswith("Ada may be theirs too.")
    forget(there, "Ada")
    signed = there.lake.read(Findings)["acknowledged_by"].to_list()
    assert [name.startswith("Forgotten person ") for name in signed] == [True]


def test_the_settings_that_name_a_person_are_named_with_what_to_write_instead(
    forgotten: tuple[House, list[str]],
) -> None:
    there, lines = forgotten
    said = " ".join(lines)
    assert f"In {there.settings.config_file}, write p-forgotten-" in said
    assert f" for {ADA[0]}: by it, teams and scopes still find the dollars." in said
