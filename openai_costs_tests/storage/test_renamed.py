from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import polars as pl
import pytest
from upath import UPath

from openai_costs.cli.stored_damage import stored_facts
from openai_costs.storage import locks
from openai_costs.storage import renamed as module
from openai_costs.storage.archive import Archive, open_read
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import LockHeld, no_writers, writing
from openai_costs.storage.renamed import finish_renaming, rename_connection
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import day
from openai_costs_tests.storage.test_archive import DAY, READ_AT, day_read
from openai_costs_tests.storage.test_slice_log import KilledError, die

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from openai_costs.tables.contract import Contract

    Lock = Callable[..., AbstractContextManager[None]]

ALONE = Lake.alone


def user(connection: str, user_id: str, name: str) -> dict[str, Any]:
    return dict.fromkeys(Users.types()) | {
        "connection": connection,
        "provider": "openai",
        "id": user_id,
        "name": name,
        "status": "active",
        "first_seen_day": day(1),
        "last_seen_day": day(2),
        "is_current": True,
    }


def renamed(folder: Path, *users: dict[str, Any]) -> list[tuple[str, ...]]:
    """Who is known of which connection once acme is called bolt."""
    lake = Lake(UPath(folder))
    lake.replace_whole(Users, pl.DataFrame(users, schema=Users.types()))
    rename_connection(UPath(folder), "openai", "acme", "bolt")
    return lake.read(Users).select("connection", "id", "name").rows()


def test_people_are_known_under_the_new_name_and_others_stay(tmp_path: Path) -> None:
    found = renamed(tmp_path, user("acme", "u", "Ana"), user("other", "u", "Ben"))
    assert found == [("bolt", "u", "Ana"), ("other", "u", "Ben")]


def test_people_whom_the_new_name_knows_already_stay_as_they_are(tmp_path: Path) -> None:
    found = renamed(tmp_path, user("acme", "u", "Ana"), user("bolt", "u", "Ana Oduya"))
    assert found == [("bolt", "u", "Ana Oduya")]


def finding(finding_id: str, connection: str, subject_id: str) -> dict[str, Any]:
    return dict.fromkeys(Findings.types()) | {
        "finding_id": finding_id,
        "rule": "reconciliation.gap",
        "severity": "warning",
        "subject_kind": "gateway",
        "subject_id": subject_id,
        "connection": connection,
        "day": day(4),
        "since_day": day(3),
        "opened_day": day(4),
        "state": "open",
        "change": 1,
        "unit": "USD",
        "because": "why",
        "table_name": "mart.cost_reconciliation",
        "docs": "docs/governance.md",
    }


def test_a_finding_keeps_its_id_and_names_the_new_connection(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    known = (
        finding("a", "acme", "acme/cached_tokens"),
        finding("b", "acme", "key_acme"),
        finding("c", "other", "acme/cached_tokens"),
    )
    lake.replace_whole(Findings, pl.DataFrame(known, schema=Findings.types()))
    for _ in range(2):
        rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
        assert lake.read(Findings).select("finding_id", "connection", "subject_id").rows() == [
            ("a", "bolt", "bolt/cached_tokens"),
            ("b", "bolt", "key_acme"),
            ("c", "other", "acme/cached_tokens"),
        ]


@pytest.mark.parametrize("newer", [(), (b"third",)])
@pytest.mark.parametrize("step", ["replace_file", "remove_folder"])
@pytest.mark.parametrize("done", [0, 1, 2])
def test_reads_are_in_their_order_where_a_renaming_was_killed_and_called_again(
    tmp_path: Path, newer: tuple[bytes, ...], step: str, done: int
) -> None:
    archive, original, calls = Archive(UPath(tmp_path)), getattr(module, step), list[object]()
    for number, ledger in enumerate((b"first", b"second", *newer)):
        name, at = "acme" if number < 2 else "bolt", READ_AT + timedelta(hours=number)
        archive.keep(day_read(connection=name, at=at, ledger=ledger))

    def dying(*args: object) -> None:
        calls.append(args)
        if step == "remove_folder":
            archive.reads("openai", "acme", "costs", DAY)[done % 2].unlink()
            raise KeyboardInterrupt
        if len(calls) > done:
            raise KeyboardInterrupt
        original(*args)

    with patch.object(module, step, dying), suppress(KeyboardInterrupt):
        rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
    rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
    reads = map(open_read, archive.reads("openai", "bolt", "costs", DAY))
    assert [read.bodies["ledger"] for read in reads] == [b"first", b"second", *newer]
    assert archive.reads("openai", "acme", "costs", DAY) == []


def test_a_table_is_locked_before_its_writing_as_by_those_that_compute_it(tmp_path: Path) -> None:
    lake, taken = Lake(UPath(tmp_path)), list[str]()
    known = [finding("a", "acme", "key_acme")]
    lake.replace_whole(Findings, pl.DataFrame(known, schema=Findings.types()))

    @contextmanager
    def noted(of: str, original: Lock, *args: object) -> Iterator[None]:
        taken.append(of)
        with original(*args):
            yield
        taken.remove(of)

    def alone(self: Lake, table: type[Contract]) -> AbstractContextManager[None]:
        assert "writing" not in taken, table
        return noted("table", ALONE, self, table)

    with (
        patch.object(Lake, "alone", alone),
        patch.object(module, "no_writers", partial(noted, "writing", no_writers)),
        patch("openai_costs.storage.lake.writing", partial(noted, "writing", writing)),
    ):
        rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
    assert lake.read(Findings)["connection"].to_list() == ["bolt"]


def test_reads_get_other_numbers_while_no_other_process_keeps_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(UPath(tmp_path))
    archive.keep(day_read(connection="acme"))
    kept = archive.keep(day_read(connection="bolt", at=READ_AT + timedelta(hours=1)))
    monkeypatch.setattr(locks, "LONGEST_SECONDS", 0.1)
    with writing(tmp_path):
        with pytest.raises(LockHeld):
            rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
        assert archive.reads("openai", "bolt", "costs", DAY) == [kept]
    rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
    assert len(archive.reads("openai", "bolt", "costs", DAY)) == 2


def test_a_renaming_that_was_killed_is_finished_by_the_next_run(tmp_path: Path) -> None:
    home, archive = UPath(tmp_path), Archive(UPath(tmp_path))
    archive.keep(day_read(connection="acme", at=READ_AT, ledger=b"first"))
    for _ in range(2):
        with patch.object(module, "remove_folder", die), suppress(KilledError):
            rename_connection(home, "openai", "acme", "bolt")
    assert archive.connections("openai") == ["acme", "bolt"]
    finish_renaming(home)
    assert archive.connections("openai") == ["bolt"]
    [read] = archive.reads("openai", "bolt", "costs", DAY)
    assert open_read(read).bodies["ledger"] == b"first"
    finish_renaming(home)
    assert not (home / module.UNFINISHED).exists()


@pytest.mark.parametrize("damage", [b"", b"\xff", b'{"provider": 1}', b"[" * 9999])
def test_a_note_of_a_renaming_that_is_damaged_stops_nothing(tmp_path: Path, damage: bytes) -> None:
    home, archive = UPath(tmp_path), Archive(UPath(tmp_path))
    archive.keep(day_read(connection="acme"))
    (home / module.UNFINISHED).write_bytes(damage)
    finish_renaming(home)
    assert archive.connections("openai") == ["acme"]
    rename_connection(home, "openai", "acme", "bolt")
    assert archive.connections("openai") == ["bolt"]
    assert not (home / module.UNFINISHED).exists()


def test_a_renaming_that_did_not_end_is_named_by_the_doctor(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    Archive(home).keep(day_read(connection="acme"))
    with patch.object(module, "remove_folder", die), suppress(KilledError):
        rename_connection(home, "openai", "acme", "bolt")
    [fact] = stored_facts(home)
    assert (fact.state, fact.about) == ("WARN", "renaming")
    assert fact.text.startswith("acme is called bolt now, and not yet in all that is kept: a run ")
    finish_renaming(home)
    assert [*stored_facts(home)] == []


def test_what_another_renaming_left_is_finished_first(tmp_path: Path) -> None:
    """A name that was killed on its way may be another one's by then."""
    home, archive = UPath(tmp_path), Archive(UPath(tmp_path))
    archive.keep(day_read(connection="acme", at=READ_AT, ledger=b"first"))
    with patch.object(module, "rename_slices", die), suppress(KilledError):
        rename_connection(home, "openai", "acme", "bolt")
    rename_connection(home, "openai", "bolt", "cove")
    assert archive.connections("openai") == ["cove"]
