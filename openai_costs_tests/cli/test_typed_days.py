from __future__ import annotations

from datetime import date

import pytest
import typer

from openai_costs.cli.typed_days import typed_day, typed_month


def test_a_day_and_a_month_are_written_in_one_way() -> None:
    assert typed_day("2028-02-29") == date(2028, 2, 29)
    assert typed_month("2026-11") == date(2026, 11, 1)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-2-01", "2026-02-01T00:00", "2026-02-0\N{BENGALI DIGIT ONE}", ""]
)
def test_what_is_not_a_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"is not a day\. Write it as YYYY-MM-DD"):
        typed_day(text)


def test_days_and_months_that_do_not_exist_are_refused() -> None:
    with pytest.raises(typer.BadParameter, match="The calendar has no 2026-02-29"):
        typed_day("2026-02-29")
    with pytest.raises(typer.BadParameter, match="The calendar has no 2026-13"):
        typed_month("2026-13")
    with pytest.raises(typer.BadParameter, match=r"is not a month\. Write it as YYYY-MM"):
        typed_month("2026-11-01")
