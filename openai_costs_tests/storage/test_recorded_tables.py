"""Tables that cannot be rebuilt: in the record first, and in the lake as a copy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import polars as pl
import pytest
from upath import UPath

from openai_costs.outputs.alerts.rows import (
    Delivery,
    changes_frame,
    deliveries_frame,
    findings_frame,
)
from openai_costs.storage.commits import store_whole
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.lake import Lake
from openai_costs.storage.record import Record
from openai_costs.storage.recorded_tables import RecordedTables
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import change, finding

AT = datetime(2026, 11, 23, 12, tzinfo=UTC).replace(tzinfo=None)


def frame(*status: str) -> pl.DataFrame:
    return deliveries_frame(
        Delivery(f"f{number}", 1, "web", "opened", one, tried_at=AT)
        for number, one in enumerate(status)
    )


def entries(home: Path, table: str = "deliveries") -> list[Path]:
    return sorted((home / "record" / table).glob("*.json"))


def in_lake(home: Path) -> pl.DataFrame:
    with (lake := Lake(UPath(home))).frozen():
        return lake.ask(Deliveries, "SELECT * FROM stored", pl.Schema(Deliveries.types()))


def test_what_changed_is_an_entry_and_the_lake_has_a_copy(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Deliveries, frame("sending"))
    lake.replace_whole(Deliveries, frame("sent", "sending"))
    lake.replace_whole(Deliveries, frame("sent", "sending"))
    assert len(entries(tmp_path)) == 2
    assert lake.read(Deliveries).equals(frame("sent", "sending"))
    assert in_lake(tmp_path).sort("finding_id").equals(frame("sent", "sending"))


def test_a_recorded_table_stays_as_it_was_at_its_first_use_in_a_frozen_block(
    tmp_path: Path,
) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Deliveries, frame("sending"))
    with lake.frozen():
        assert lake.read(Deliveries).equals(frame("sending"))
        with ThreadPoolExecutor(1) as other:  # it opens a lake of its own, as another process does
            other.submit(lambda: Lake(UPath(tmp_path)).replace_whole(Deliveries, frame("sent")))
        assert lake.read(Deliveries).equals(frame("sending"))
    assert lake.read(Deliveries).equals(frame("sent"))


def test_a_removed_lake_costs_no_row_and_the_next_publication_has_them(tmp_path: Path) -> None:
    Lake(UPath(tmp_path)).replace_whole(Deliveries, frame("sent"))
    rmtree(tmp_path / "lake")
    assert Lake(UPath(tmp_path)).read(Deliveries).equals(frame("sent"))
    assert in_lake(tmp_path).equals(frame("sent"))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"")])
def test_the_copy_stands_in_for_a_damaged_entry_and_restores_it(
    tmp_path: Path, number: int, harm: object
) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Deliveries, frame("sending"))
    lake.replace_whole(Deliveries, frame("sent", "sending"))
    harm(entries(tmp_path)[number - 1])  # type: ignore[operator]
    again = Lake(UPath(tmp_path))
    assert again.read(Deliveries).sort("finding_id").equals(frame("sent", "sending"))
    assert f"0000000{number}.json is " in again.recorded.damage()[0]
    again.recorded.restore()
    rmtree(tmp_path / "lake")
    healed = Lake(UPath(tmp_path))
    assert healed.recorded.damage() == []
    assert healed.read(Deliveries).sort("finding_id").equals(frame("sent", "sending"))


def test_a_home_without_a_record_is_taken_over_once(tmp_path: Path) -> None:
    tables = DeltaTables(UPath(tmp_path) / "lake")
    store_whole(tables, Deliveries, frame("sent"))
    store_whole(tables, Findings, findings_frame([finding()]))
    Lake(UPath(tmp_path)).read(Deliveries)
    (tmp_path / "record/findings/00000001.json").unlink()  # as if killed between the two
    for _ in range(2):
        assert Lake(UPath(tmp_path)).read(Findings).height == 1
    assert [len(entries(tmp_path, one)) for one in ("deliveries", "findings")] == [1, 1]
    rmtree(tmp_path / "lake")
    assert Lake(UPath(tmp_path)).read(Deliveries).equals(frame("sent"))


def test_of_two_writers_who_read_the_same_one_is_refused_also_without_locks(
    tmp_path: Path,
) -> None:
    home = UPath(f"memory://{tmp_path.name}")
    record, other = Record(home), Record(home)
    tables = [DeltaTables(UPath(tmp_path / one) / "lake") for one in ("a", "b")]
    one, two = (RecordedTables(*pair) for pair in zip((record, other), tables, strict=True))
    assert one.read(Deliveries) is two.read(Deliveries) is None
    one.replace(Deliveries, frame("sending"), 0)
    with pytest.raises(WriteConflict):
        two.replace(Deliveries, frame("sending", "sending"), 0)


def test_no_table_shows_a_key_that_an_earlier_version_recorded_in_a_reason(tmp_path: Path) -> None:
    """It was recorded as it was given; the entry is evidence, and the tables go out."""
    key = "sk-proj-QWERTYUIOP123456"
    muted = change(1, "muted", because=f"$12.50 (muted through 2026-12-30 by Ada: {key} leaked)")
    opened = change(2, because="$12.50 of API key sk-maps")
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(FindingChanges, changes_frame([muted, opened]))
    lake.replace_whole(Findings, findings_frame([replace(finding(), mute_reason=f"{key} leaked")]))
    again = Lake(UPath(tmp_path))
    assert again.read(FindingChanges)["because"].to_list() == [
        "$12.50 (muted through 2026-12-30 by Ada: sk-[redacted] leaked)",
        "$12.50 of API key sk-maps",
    ]
    assert again.read(Findings)["mute_reason"].to_list() == ["sk-[redacted] leaked"]
    with again.frozen():
        for table in (FindingChanges, Findings):
            columns = pl.Schema(table.types())
            assert key not in str(again.ask(table, "SELECT * FROM stored", columns).rows())
