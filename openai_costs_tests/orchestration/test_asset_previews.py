"""The three previews drew for themselves before, and disagreed where these tests look."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.orchestration.asset_previews import (
    LONGEST_NAME,
    MOST_BARS,
    MOST_CHARACTERS,
    MOST_ROWS,
    bars,
    bars_with_line,
    rows_of_bars,
    short_name,
    table,
)

amounts = st.lists(
    st.decimals(min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=18),
    min_size=1,
    max_size=MOST_BARS,
)


def usd(*numbers: int) -> list[Decimal]:
    return [Decimal(one) for one in numbers]


def outlines(image: str) -> list[str]:
    """The outline of each path that a Markdown image draws."""
    address = image.partition("](data:image/svg+xml,")[2].removesuffix(")")
    drawn = ET.fromstring(unquote(address))  # noqa: S314 - our own picture
    return [path.get("d", "") for path in drawn.findall("{*}path")]


@pytest.mark.parametrize(
    "image",
    [
        bars(usd(1, 2), "USD"),
        bars_with_line(usd(1, 2), usd(2, 1), "USD"),
        rows_of_bars([(Decimal(50), "#777777")], "spent"),
    ],
)
def test_every_picture_is_quoted_alike_and_ends_no_link_early(image: str) -> None:
    address = image.partition("](")[2].removesuffix(")")
    assert not set(address) & set('()<>"#\n ')
    assert "'" in address
    assert "%27" not in address


def test_a_negative_day_or_a_negative_budget_has_no_bar_and_moves_no_other() -> None:
    assert outlines(bars(usd(10, -5, 20), "USD")) == ["M0,40v-20h9v20zM20,40v-40h9v40z"]
    (columns, line) = outlines(bars_with_line(usd(10, -5), usd(20, -20), "USD"))
    assert columns == "M0,40v-20h9v20z"
    assert line == "M4,0L14,40"
    refunded, spent = (Decimal(-20), "#777777"), (Decimal(50), "#777777")
    assert outlines(rows_of_bars([refunded, spent], "spent")) == ["M0,12h100v9h-100z"]


def test_a_budget_above_its_limit_has_the_full_width() -> None:
    assert outlines(rows_of_bars([(Decimal(226), "#777777")], "spent")) == ["M0,0h200v9h-200z"]


@settings(deadline=None)
@given(amounts)
def test_every_picture_leaves_room_for_a_sentence(days: list[Decimal]) -> None:
    assert len(bars(days, "USD per day")) < MOST_CHARACTERS - 200
    assert len(bars_with_line(days, days, "USD per day")) < MOST_CHARACTERS - 150


def test_no_name_breaks_the_table_and_five_long_ones_fit() -> None:
    names = [short_name(f"a|name\n{i}" + "x" * 99) for i in range(MOST_ROWS)]
    text = table(
        ("name", "from", "to", "USD"), [(one, "2026-11-01", "", "+$1.00") for one in names]
    )
    assert {line.count("|") for line in text.splitlines()} == {5}
    assert len(text.splitlines()) == 2 + MOST_ROWS
    assert len(text) < MOST_CHARACTERS


def test_a_long_name_is_cut_and_shows_it() -> None:
    assert short_name("x" * LONGEST_NAME) == "x" * LONGEST_NAME
    assert short_name("x" * 99) == "x" * (LONGEST_NAME - 1) + "\u2026"


def test_numbers_are_flush_right() -> None:
    assert table(("a", "USD"), [("b", "1.00")], numbers=1).splitlines()[1] == "|---|---:|"
