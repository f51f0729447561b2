"""The published Parquet files: a file for each month, written where something changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from openai_costs.outputs.publish.parquet_copies import PARQUET, copies_in_place
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.users import Users
from openai_costs_tests.outputs.publish.test_filling import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OCTOBER: Final = date(2026, 10, 31)
NOVEMBER: Final = date(2026, 11, 2)
LEDGER: Final = Spend.full_name()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("copies") / "home")  # it has a day of September
    made.write("acme", OCTOBER, "1")
    made.write("acme", NOVEMBER, "1")
    made.publish()
    return made


@pytest.fixture
def home(sound: Home, tmp_path: Path) -> Home:
    return sound.copied(tmp_path / "home")


def written(home: Home) -> dict[str, tuple[int, int]]:
    """Which file each copy is; one that is written again is another file."""
    folder = home.path / PARQUET
    found = {name: (folder / f"{name}.parquet").stat() for name in copies_in_place(home.home)}
    return {name: (about.st_ino, about.st_mtime_ns) for name, about in found.items()}


def changed(home: Home, event: Callable[[], None]) -> set[str]:
    """The copies of the ledger and of people that are others after an event was published."""
    before = written(home)
    event()
    home.publish()
    return {
        name
        for name, which in written(home).items()
        if before.get(name) != which and name.startswith((f"{LEDGER}/", Users.full_name()))
    }


def billed(home: Home) -> Decimal:
    return pl.read_parquet(home.copies(LEDGER, "*"))["billed_usd"].sum()


def test_each_month_has_a_file_with_its_rows(home: Home) -> None:
    assert home.months(LEDGER) == ["2026-09", "2026-10", "2026-11"]
    october = pl.read_parquet(home.copies(LEDGER, "2026-10"))
    assert october["day"].to_list() == [OCTOBER]
    assert october.schema == pl.Schema(Spend.types())


def test_only_the_month_of_a_changed_day_is_written_again(home: Home) -> None:
    assert changed(home, lambda: home.write("acme", OCTOBER, "7")) == {f"{LEDGER}/2026-10"}
    assert billed(home) == Decimal(11)


def test_nothing_is_written_again_where_nothing_changed(home: Home) -> None:
    before = written(home)
    home.publish()
    assert written(home) == before


def test_a_month_that_has_no_rows_any_more_goes(home: Home) -> None:
    assert changed(home, lambda: home.write("acme", OCTOBER, "0")) == set()
    assert home.months(LEDGER) == ["2026-09", "2026-11"]


def test_a_table_without_rows_can_be_read(home: Home) -> None:
    for name in ("core.gateway_spend", "core.users"):
        assert pl.read_parquet(home.copies(name, "*")).is_empty()
    home.remove("acme", OCTOBER, "0")
    home.publish()
    assert home.months(LEDGER) == ["no_rows"]
    assert pl.read_parquet(home.copies(LEDGER, "*")).schema == pl.Schema(Spend.types())
    home.write("acme", OCTOBER, "1")
    home.publish()
    assert home.months(LEDGER) == ["2026-10"]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [flip, lambda path: path.unlink()], ids=["a bit", "the file"])
@pytest.mark.parametrize("name", [f"{LEDGER}/2026-10", "core.users/all"])
def test_a_file_that_is_damaged_or_missing_is_written_again(
    home: Home, name: str, harm: Callable[[Path], None]
) -> None:
    path = home.path / PARQUET / f"{name}.parquet"
    before = path.read_bytes()
    harm(path)
    home.publish()
    assert path.read_bytes() == before


def test_files_of_earlier_versions_go_and_foreign_files_stay(home: Home) -> None:
    folder = home.path / PARQUET
    old, foreign = folder / f"{LEDGER}.parquet", folder / LEDGER / "mine.parquet"
    strange_month = folder / LEDGER / "2020-01.parquet"
    for path in (old, foreign, strange_month):
        path.write_bytes(b"of others")
    home.publish()
    assert foreign.read_bytes() == b"of others"
    assert not old.exists()
    assert not strange_month.exists()
