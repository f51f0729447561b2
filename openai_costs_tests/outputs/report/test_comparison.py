"""Only days that were over when they were read are compared, of connections that have them all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.report.page_model import FirstScreen, page_model
from openai_costs_tests.outputs.report.bill import Steady, read_while_running, running, steady

LAST = date(2026, 11, 10)
NOW = datetime(2026, 11, 11, 9, tzinfo=UTC)
OLD = DayRange(date(2026, 9, 1), LAST)


def screen(*connections: Steady, settled: date = LAST) -> FirstScreen:
    return page_model(steady(*connections, settled=settled), NOW).first


def read_on(day: date) -> FirstScreen:
    """The first screen of ten dollars each day, and $1.25 of the day on which it was read."""
    return page_model(read_while_running(day, "1.25"), NOW).first


def test_a_connection_that_began_in_between_is_no_growth() -> None:
    began = ("new", "5", DayRange(date(2026, 10, 6), LAST), ())
    first = screen(("acme", "10", OLD, ()), began)
    assert (first.month.spent, first.month.change) == ("$150.00", "$0.00")
    assert first.month.change_note == "0.0 % from $100.00; without new"
    assert first.movers.shown == ()
    assert first.movers.note.endswith(
        "2026-11-01 to 2026-11-10 against 2026-10-01 to 2026-10-10; "
        "not compared: new (read from 2026-10-06)"
    )


def test_a_gap_of_one_connection_leaves_it_out_and_links_show_the_others_alone() -> None:
    gap = ("beta", "7", OLD, (date(2026, 11, 3),))
    ended = ("gone", "9", DayRange(OLD.first, date(2026, 10, 31)), ())
    first = screen(("acme", "10", OLD, ()), gap, ended)
    assert first.month.change_note == "0.0 % from $100.00; without beta, gone"
    assert first.movers.note.endswith(
        "beta (2026-11-03 was not read), gone (read through 2026-10-31)"
    )
    late = screen(("acme", "10", OLD, ()), ("beta", "7", OLD, (date(2026, 10, 3),)))
    assert late.month.change_note.endswith("; without beta")


def test_the_newest_days_are_compared_once_every_connection_has_them() -> None:
    """One answers a day later: its newest day is not known, and nothing else of it is doubted."""
    late = ("slow", "7", OLD, (LAST,))
    first = screen(("acme", "10", OLD, ()), late, settled=LAST - timedelta(days=3))
    assert (first.month.spent, first.month.change) == ("$163.00", "$0.00")
    assert first.month.change_note == "0.0 % from $153.00; through 9 Nov"
    assert "2026-11-01 to 2026-11-09 against 2026-10-01 to 2026-10-09" in first.movers.note


def test_without_a_connection_of_which_all_days_were_read_nothing_is_compared() -> None:
    unread = (date(2026, 10, 3),)
    first = screen(("acme", "10", OLD, unread), ("beta", "7", OLD, unread))
    assert (first.month.change, first.movers.shown) == ("\u2013", ())
    assert first.month.change_note == "Not all of those days were read"
    assert first.movers.note == (
        "The same days of the month before were not all read: acme (2026-10-03 was not read), "
        "beta (2026-10-03 was not read)."
    )


def test_the_running_day_is_in_the_month_so_far_and_compared_with_no_whole_day() -> None:
    """Of 96 dollars a day, 12 had passed at 03:00: -29.2 % on the 3rd of a month."""
    first = read_on(date(2026, 11, 3))
    assert (first.month.spent, first.month.change) == ("$21.25", "$0.00")
    assert first.month.change_note == "0.0 % from $20.00; through 2 Nov"
    assert first.movers.shown == ()
    assert first.movers.note == "By user, 2026-11-01 to 2026-11-02 against 2026-10-01 to 2026-10-02"


def test_on_the_first_of_a_month_nothing_is_compared_and_a_sentence_says_why() -> None:
    first = read_on(date(2026, 12, 1))
    assert (first.month.spent, first.month.change) == ("$1.25", "\u2013")
    assert first.month.change_note == "No day of December was over when it was read"
    assert (first.movers.shown, first.movers.note) == ((), f"{first.month.change_note}.")


def test_a_day_that_has_not_settled_is_compared_once_it_was_over_when_it_was_read() -> None:
    first = screen(("acme", "10", OLD, ()), settled=LAST - timedelta(days=3))
    assert first.month.change_note == "0.0 % from $100.00"


def test_a_connection_that_was_last_read_while_a_day_was_running_does_not_have_that_day() -> None:
    def read_early(day: date) -> FirstScreen:
        both = ("acme", "10", OLD, ()), ("late", "7", OLD, ())
        made = steady(*both, settled=LAST - 2 * ONE_DAY)
        return page_model(running(made, day, "late"), NOW).first

    assert read_early(LAST).month.change_note == "0.0 % from $153.00; through 9 Nov"
    first = read_early(date(2026, 11, 4))
    assert first.month.change_note == "0.0 % from $100.00; without late"
    assert first.movers.note.endswith("late (2026-11-04 was not complete when it was read)")


def test_the_last_day_of_a_longer_month_has_no_same_day_before() -> None:
    whole = DayRange(OLD.first, date(2026, 12, 31))
    first = screen(("acme", "10", whole, ()), settled=whole.last)
    assert (first.month.spent, first.month.change) == ("$310.00", "$0.00")
    assert first.month.change_note == "0.0 % from $300.00; through 30 Dec"
