from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.kernel.money import MONEY
from openai_costs.orchestration.asset_previews import MOST_BARS, MOST_CHARACTERS
from openai_costs.outputs.publish.preview import preview
from openai_costs_tests.org import day

ANY_USD = st.decimals(min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=18)
LARGEST = Decimal("9" * 14 + "." + "9" * 18)


def daily(*usd: str | Decimal) -> pl.DataFrame:
    rows = [(day(1) + timedelta(days=i), Decimal(one)) for i, one in enumerate(usd)]
    return pl.DataFrame(rows, schema={"day": pl.Date, "billed_usd": MONEY}, orient="row")


def picture(shown: str) -> ET.Element:
    address = shown.partition("](data:image/svg+xml,")[2].partition(")")[0]
    return ET.fromstring(unquote(address))  # noqa: S314 - our own picture


@settings(deadline=None)
@given(st.lists(ANY_USD, min_size=1, max_size=60))
def test_it_is_short_enough_to_be_drawn_for_any_amounts(amounts: list[Decimal]) -> None:
    assert len(preview(daily(*amounts), day(28), 12_345)) < MOST_CHARACTERS


@pytest.mark.parametrize("usd", [LARGEST, -LARGEST, Decimal(0), Decimal("1E-18")])
def test_it_is_short_enough_for_a_year_of_extremes(usd: Decimal) -> None:
    assert len(preview(daily(*[usd] * 365), day(28), 99_999)) < MOST_CHARACTERS


def test_it_shows_what_was_spent_through_which_day_and_how_many_are_missing() -> None:
    shown = preview(daily("1000", "234.565"), day(2), 3)
    assert "**$1,234.56** billed, 2026-11-01 to 2026-11-02" in shown
    assert "complete through **2026-11-02**; missing days: 3." in shown


def test_without_a_complete_day_it_says_so() -> None:
    assert "complete through **no day yet**" in preview(daily("1"), None, 0)


def test_an_empty_lake_gives_a_sentence() -> None:
    assert preview(daily(), None, 0) == "Nothing is published yet, because no day has been read."


def test_the_picture_has_a_bar_for_each_of_the_last_days() -> None:
    path = picture(preview(daily(*["2"] * 40), day(9), 0)).find("{*}path")
    assert path is not None
    assert path.get("d", "").count("M") == MOST_BARS


def test_the_tallest_bar_is_the_largest_day_and_a_credit_has_none() -> None:
    path = picture(preview(daily("10", "20", "-5"), day(9), 0)).find("{*}path")
    assert path is not None
    assert path.get("d") == "M0,40v-20h9v20zM10,40v-40h9v40z"


def test_the_picture_has_no_character_that_ends_a_markdown_link_early() -> None:
    shown = preview(daily("10", "20"), day(9), 0)
    address = shown.partition("](")[2].partition(")\n")[0]
    assert not set(address) & set('()<>"\n')
