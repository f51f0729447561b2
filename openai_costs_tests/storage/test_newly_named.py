"""Forgotten people whom pages and lists name anew, and what a home keeps of that."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.known_texts import known
from openai_costs.storage import forgotten
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.forget_key import made_key
from openai_costs.storage.forgotten import remember
from openai_costs.storage.lake import Lake
from openai_costs.storage.newly_named import forgotten_after_pages
from openai_costs.storage.packing import unpacked
from openai_costs.storage.record import FOLDER, Entry, Record
from openai_costs.tables.core.engineers import Engineers

if TYPE_CHECKING:
    from pathlib import Path

DAY, AT = date(2026, 11, 20), datetime(2026, 11, 23, tzinfo=UTC)
OLD: Final = (("id", "user-ben"), ("name", "Ben Bos"), ("email", "ben@acme.example"))
NEW: Final = "bosman@newco.example"
MEMBER: Final = {"id": "user-ben", "name": "Benjamin Bosman", "email": NEW}


@pytest.fixture
def home(tmp_path: Path) -> UPath:
    """A home that forgets Ben."""
    made, key = UPath(tmp_path / "home"), made_key(tmp_path / "key")
    people = [known(key.secret, kind, text, "user-ben") for kind, text in OLD]
    remember(made, people, key, DAY)
    return made


def kept(home: UPath, *entries: object) -> str:
    """Return what the archive keeps of a page with some entries."""
    body = {"list": json.dumps({"data": entries}).encode()}
    read = DayRead("openai", "acme", "directory", DAY, AT, {"list": ("/users", [], [])}, body)
    _, bodies = unpacked(Archive(home).keep(read).read_bytes(), "")
    return bodies["list"].decode()


def test_an_address_that_a_list_has_beside_a_known_id_is_replaced_where_it_stands_alone(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert NEW in kept(home, {"actor": NEW})
    kept(home, MEMBER)
    assert NEW not in kept(home, {"actor": NEW, "usd": 1.5})
    monkeypatch.setattr(forgotten, "_loaded", {})  # as in another process
    assert NEW not in kept(home, {"actor": NEW})


def test_a_new_address_is_kept_as_a_digest_with_the_day_of_the_command(home: UPath) -> None:
    kept(home, MEMBER)
    rows = Record(home).folded(forgotten.TABLE, ("digest",)).rows.values()
    assert len(rows) == len(OLD) + 1  # a new name may be another's too
    assert {(row["asked_on"], row["person"]) for row in rows} == {
        (str(DAY), next(iter(rows))["person"])
    }
    entries = [one.read_text() for one in (home / FOLDER).rglob("*.json")]
    assert not any("osman" in one for one in entries)


def test_entries_of_one_page_count_in_any_order(home: UPath) -> None:
    text = kept(home, {"user_id": "user-9", "name": "B. Bosman", "email": NEW}, MEMBER)
    assert not any(one in text for one in ("osman", NEW))


def test_of_two_that_write_down_an_address_at_once_none_is_lost(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, other = Record.append, "b2@newco.example"

    def second(record: Record, table: str, number: int, entry: Entry) -> None:
        monkeypatch.setattr(Record, "append", append)
        kept(home, MEMBER | {"email": other})
        append(record, table, number, entry)

    monkeypatch.setattr(Record, "append", second)
    kept(home, MEMBER)
    assert not any(one in kept(home, {"u": NEW, "v": other}) for one in (NEW, other))


def test_where_others_always_write_first_the_page_is_not_kept(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise WriteConflict(forgotten.TABLE)

    monkeypatch.setattr(Record, "append", refused)
    with pytest.raises(WriteConflict):
        kept(home, MEMBER)


def test_what_names_the_place_of_the_key_is_replaced_and_not_written_down(tmp_path: Path) -> None:
    place = "ben@bosman.example"
    (tmp_path / place).mkdir()
    home, key = UPath(tmp_path / "home"), made_key(tmp_path / place / "key")
    remember(home, [known(key.secret, "id", "user-ben", "ben")], key, DAY)
    assert place not in kept(home, {"id": "user-ben", "email": place})
    [row] = Record(home).folded(forgotten.TABLE, ("digest",)).rows.values()
    assert place in row["key_file"]


def test_a_home_that_forgets_no_one_reads_no_page_twice(tmp_path: Path) -> None:
    pages = iter(lambda: pytest.fail("a page is read"), None)
    assert forgotten_after_pages(UPath(tmp_path / "other"), pages) is None


def directory(*people: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    columns = ("person_id", "name", "email", "aliases")
    rows = [dict(zip(columns, one, strict=True)) for one in people]
    others = {"status": "active", "is_trusted": True, "origin": "people.csv"}
    frame = pl.DataFrame([row | others for row in rows], {**Engineers.types()})
    return frame.select(list(Engineers.types()))


def stored(home: UPath, *people: tuple[str, str, str | None, str | None]) -> str:
    lake = Lake(home)
    lake.replace_whole(Engineers, directory(*people))
    return str(lake.read(Engineers).select("person_id", "name", "email", "aliases").rows())


def test_a_row_of_the_directory_that_has_an_old_address_is_theirs(home: UPath) -> None:
    row = ("p-2", "Bosman, Benjamin", "ben@acme.example", f"{NEW},benbosman")
    text = stored(home, row, ("p-3", "Ana Alves", "ana@acme.example", None))
    assert not any(one in text.casefold() for one in ("bosman", "ben@"))
    assert "'p-3', 'Ana Alves', 'ana@acme.example', None" in text
    assert NEW not in kept(home, {"actor": NEW})


def test_a_mailbox_that_goes_to_a_colleague_makes_the_colleague_no_one_else(home: UPath) -> None:
    text = stored(home, ("p-3", "Ana Alves", "ana@acme.example", "ben@acme.example"))
    assert "'p-3', 'Ana Alves', 'ana@acme.example'" in text
    assert "ben@acme.example" not in text
    assert "ana@acme.example" in kept(home, {"actor": "ana@acme.example"})


def test_an_address_of_a_team_makes_no_one_a_forgotten_person(home: UPath) -> None:
    team = "ben@acme.example"
    text = stored(home, ("p-3", "Ana", "ana@acme.example", team), ("p-4", "Cy", None, team))
    assert all(one in text for one in ("p-3", "Ana", "ana@acme.example", "p-4", "Cy"))


def test_a_directory_is_stored_the_same_twice(home: UPath) -> None:
    row = ("p-2", "Benjamin Bosman", NEW, "ben@acme.example")
    assert stored(home, row) == stored(home, row)
