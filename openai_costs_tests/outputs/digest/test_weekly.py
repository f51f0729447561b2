"""What the digest says, and its picture."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from openai_costs.outputs.digest.picture import Bar, bars, png
from openai_costs.outputs.digest.weekly import spark, weekly_message
from openai_costs.outputs.report.month_days import MonthDay
from openai_costs_tests.outputs.report.bill import january, page

if TYPE_CHECKING:
    from openai_costs.outputs.alerts.message import Message
    from openai_costs.outputs.report.page_model import PageModel

LINES = [(1, "web", "ana", "4"), (2, "web", "bo", "8"), (4, "web", None, "2")]
URL = "https://costs.example/"


@cache
def shown() -> PageModel:
    """The page that the digest is about."""
    return page(LINES, "ssmp")


def made(page_url: str | None = URL) -> Message:
    return weekly_message(shown(), january(5), "finance", page_url)


def line(label: str, of: Message) -> str:
    return next(one.text for one in of.lines if one.label == label)


def test_it_says_what_the_first_screen_says() -> None:
    month, digest = shown().first.month, made()
    assert digest.title == f"January so far: $14.00; {month.expected} expected by 31 Jan"
    assert line("So far", digest) == "$14.00 through 4 Jan, 1 provisional, 1 missing"
    assert line("Data", digest) == shown().completeness
    assert line("Checks", digest) == "; ".join(one.text for one in shown().first.trust)
    assert line("Findings", digest).startswith("No finding is open")
    assert line("Basis", digest) == shown().first.savings_note
    assert digest.facts["change_note"] == month.change_note


def test_its_number_is_the_same_for_a_repetition_and_no_other_route_or_week() -> None:
    assert made().number == made().number == "weekly-2026-01-05-finance"


def test_invented_numbers_are_called_invented() -> None:
    invented = weekly_message(replace(shown(), is_invented=True), january(5), "a", None)
    assert "invented" in line("Note", invented)
    assert "invented" not in made().text


def test_lines_lead_to_the_page_where_its_address_is_known() -> None:
    moved = page([*LINES, *((day, "web", "bo", "9") for day in range(5, 9))], "ssssssss")
    linked = weekly_message(moved, january(9), "a", URL)
    assert linked.link == URL
    assert not any(one.link for one in weekly_message(moved, january(9), "a", None).lines)


def test_days_are_bars_and_a_day_that_was_not_read_is_none() -> None:
    assert spark(shown().first.days) == "▄█·▂"
    assert spark([MonthDay(january(1), None, None, is_provisional=False)]) == ""


def test_the_picture_is_a_png_of_the_bars() -> None:
    day = MonthDay(january(1), 200, 100, is_provisional=False)
    gap = MonthDay(january(2), None, None, is_provisional=False)
    drawn = list(bars([day, gap, day._replace(day=january(3))], 30, 24))
    assert Bar(1, 10, 8, 10, 2) in drawn  # the day before is half as tall, and grey
    assert Bar(2, 0, 5, 20, 3) in drawn
    assert [one.x for one in drawn if one.color == 5] == [11]
    content = png(30, 24, drawn)
    assert struct.unpack(">II", content[16:24]) == (30, 24)
    pixels = zlib.decompress(content[content.index(b"IDAT") + 4 : -16])
    rows = [pixels[i * 31 + 1 : (i + 1) * 31] for i in range(24)]
    assert rows[0][:8] == bytes([0, 0, 3, 3, 3, 3, 3, 0])
    assert rows[15][:9] == bytes([0, 2, 3, 3, 3, 3, 3, 2, 2])
