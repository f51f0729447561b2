"""A home of version 0.1 becomes tables at its first use, and nothing of it is lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage.day_files import DayFiles
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import day, files
from openai_costs_tests.storage.test_lake import A1, A2, B1, MORNING, held, rows

if TYPE_CHECKING:
    from openai_costs.tables.contract import Contract

NEXT_MONTH = Slice("acme", day(30) + timedelta(days=1))


def day_file(home: Path, table: type[Contract], key: Slice, frame: pl.DataFrame) -> None:
    """Write a slice as version 0.1 did: its read and the sum of its page in the footer."""
    folder = home / "lake" / table.schema_name() / table.table_name() / key.connection
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"read_at": MORNING.isoformat(), "page_usd": "1.000000000000000001"}
    frame.write_parquet(folder / f"{key.day}.parquet", metadata=facts)


def whole_file(home: Path, table: type[Contract], frame: pl.DataFrame) -> None:
    folder = home / "lake" / table.schema_name() / table.table_name()
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / "all.parquet")


def finding(number: int) -> pl.DataFrame:
    known = {
        "finding_id": f"f{number}",
        "rule": "budgets.exceeded",
        "severity": "warning",
        "state": "open",
        "change": number,
        "impact_usd": Decimal("1.000000000000000001"),
    }
    row = {name: known.get(name) for name in Findings.types()}
    return pl.DataFrame([row], schema=Findings.types())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three slices with rows, one without, and a table that cannot be rebuilt."""
    for key in (A1, A2, NEXT_MONTH):
        day_file(tmp_path, SpendByUser, key, rows((key, "ada", "0.000000000000000001")))
    day_file(tmp_path, SpendByUser, B1, rows())
    whole_file(tmp_path, Findings, pl.concat([finding(1), finding(2)]))
    return tmp_path


def old_files(home: Path) -> list[str]:
    named = [path for path in files(home, "lake") if path.endswith(".parquet")]
    return [path for path in named if "/part-" not in path and "checkpoint" not in path]


def test_every_row_day_and_finding_is_there_afterwards_and_the_old_files_are_gone(
    home: Path,
) -> None:
    lake = Lake(UPath(home))
    assert [row[:2] for row in held(lake)] == [
        ("acme", day(1)),
        ("acme", day(2)),
        ("acme", NEXT_MONTH.day),
    ]
    assert {row[3] for row in held(lake)} == {Decimal("0.000000000000000001")}
    assert lake.days(SpendByUser, "bolt") == {day(1)}
    assert lake.reads(SpendByUser) == dict.fromkeys((A1, A2, NEXT_MONTH, B1), MORNING)
    assert set(lake.page_sums(SpendByUser)["page_usd"]) == {Decimal("1.000000000000000001")}
    assert lake.read(Findings).equals(pl.concat([finding(1), finding(2)]))
    assert old_files(home) == []


def test_a_person_sees_what_happens_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Lake(UPath(home)).read(Findings)
    assert capsys.readouterr().err.splitlines()[0] == (
        "Moving the tables of version 0.1 to Delta Lake: core.spend_by_user, 4 days (table 1 of 2)."
    )
    Lake(UPath(home)).read(Findings)
    assert capsys.readouterr().err == ""


def test_a_move_that_was_killed_is_finished_by_the_next_command(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DayFiles, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            Lake(UPath(home)).read(Findings)
    assert len(old_files(home)) == 5
    lake = Lake(UPath(home))
    assert len(held(lake)) == 3
    assert lake.read(Findings).height == 2
    assert old_files(home) == []


def test_a_write_that_comes_first_moves_the_home_before_it(home: Path) -> None:
    lake = Lake(UPath(home))
    lake.replace(SpendByUser, [Batch(rows((A1, "eve", "7")), {A1: MORNING})])
    assert next((name, usd) for _, _, name, usd in held(lake)) == ("eve", Decimal(7))
    assert len(held(lake)) == 3


def test_a_damaged_file_stays_is_named_and_stops_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = home / "lake/core/spend_by_user/acme" / f"{day(2)}.parquet"
    damaged.write_bytes(b"no Parquet")
    lake = Lake(UPath(home))
    assert [row[1] for row in held(lake)] == [day(1), NEXT_MONTH.day]
    assert lake.days(SpendByUser, "acme") == {day(1), NEXT_MONTH.day}
    assert damaged.exists()
    (line,) = [line for line in capsys.readouterr().err.splitlines() if str(damaged) in line]
    assert "backfill --offline" in line


def test_a_column_that_came_later_is_null_in_old_rows(home: Path) -> None:
    key = Slice("old", day(1))
    day_file(home, SpendByUser, key, rows((key, "ada", "1")).drop("model"))
    (batch,) = Lake(UPath(home)).batches(SpendByUser, [day(1)])
    of_old = batch.frame.filter(connection="old")
    assert of_old.select("user_id", "model").rows() == [("ada", None)]


def test_rows_that_are_older_than_the_cost_model_are_invoices_of_openai(home: Path) -> None:
    key, row = Slice("old", day(1)), dict.fromkeys(Spend.types())
    row |= {"connection": "old", "provider": "openai", "day": day(1), "grouping": "line_item"}
    row["billed_usd"] = Decimal(1)
    stored = pl.DataFrame([row], schema=Spend.types())
    day_file(home, Spend, key, stored.drop("host", "cost_basis", "charge_category", "list_usd"))
    (batch,) = Lake(UPath(home)).batches(Spend, [day(1)])
    facts = batch.frame.select("host", "cost_basis", "charge_category", "list_usd", "billed_usd")
    assert facts.rows() == [("openai", "billed", "usage", None, Decimal(1))]
    assert Spend.broken_rules(batch.frame) == []


def test_a_new_home_is_not_touched_by_a_look_at_it(tmp_path: Path) -> None:
    assert Lake(UPath(tmp_path)).read(Findings).is_empty()
    assert list(tmp_path.iterdir()) == []
