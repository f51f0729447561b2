"""Which days are laid side by side together."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.questions.reconciliation.assets import _pieces

if TYPE_CHECKING:
    from openai_costs.storage.lake import Lake
    from openai_costs.tables.contract import Contract

DAYS = DayRange(date(2026, 10, 1), date(2026, 10, 30))


class _Stored:
    def __init__(self, rows: int) -> None:
        self._rows = rows

    def slices(self, _table: type[Contract]) -> pl.DataFrame:
        return pl.DataFrame({"day": list(DAYS), "rows": [self._rows] * len(DAYS)})


@pytest.mark.parametrize(("rows", "lengths"), [(0, [30]), (600, [30]), (1_000, [20, 10])])
def test_days_of_few_rows_are_laid_together(rows: int, lengths: list[int]) -> None:
    assert [len(some) for some in _pieces(cast("Lake", _Stored(rows)), DAYS)] == lengths


def test_days_of_many_rows_are_two_weeks_at_a_time() -> None:
    some = list(_pieces(cast("Lake", _Stored(50_000)), DAYS))
    assert [(one.first.day, one.last.day) for one in some] == [(1, 14), (15, 28), (29, 30)]


@pytest.mark.parametrize("rows", [0, 1])
def test_half_a_year_of_hardly_any_rows_is_laid_together(rows: int) -> None:
    half_a_year = DayRange(date(2026, 4, 5), date(2026, 10, 1))
    assert list(_pieces(cast("Lake", _Stored(rows)), half_a_year)) == [half_a_year]
