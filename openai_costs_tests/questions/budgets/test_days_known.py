from __future__ import annotations

from datetime import date

from openai_costs.questions.budgets.periods import known_days, newest_read, settled_through
from openai_costs_tests.questions.budgets.ledger import budget, covered

ONE, TWO, THREE, FOUR = (date(2026, 11, day) for day in (1, 2, 3, 4))
TWO_CONNECTIONS = covered(
    ("acme", ONE, "missing"),
    ("acme", TWO, "settled"),
    ("acme", THREE, "settled"),
    ("acme", FOUR, "provisional"),
    ("labs", TWO, "settled"),
    ("labs", THREE, "missing"),
    ("labs", FOUR, "settled"),
)


def test_a_day_is_as_good_as_the_worst_of_its_connections() -> None:
    known = known_days(TWO_CONNECTIONS, budget())
    assert known.rows() == [(TWO, "settled"), (THREE, "missing"), (FOUR, "provisional")]
    assert settled_through(known) == TWO


def test_a_budget_of_one_connection_minds_no_other() -> None:
    known = known_days(TWO_CONNECTIONS, budget(connection="acme"))
    assert known.rows() == [(TWO, "settled"), (THREE, "settled"), (FOUR, "provisional")]
    assert settled_through(known) == THREE


def test_a_hole_does_not_hold_up_what_comes_after_it() -> None:
    known = known_days(TWO_CONNECTIONS, budget(scope="connection", id="labs"))
    assert known["state"].to_list() == ["settled", "missing", "settled"]
    assert settled_through(known) == FOUR


def test_nothing_read_is_nothing_known() -> None:
    known = known_days(covered(("acme", ONE, "missing")), budget())
    assert known.is_empty()
    assert settled_through(known) is None


def test_the_newest_day_is_that_of_any_connection_as_on_the_page() -> None:
    """On the first of a month, what only one of two connections has is of the new month."""
    ahead = covered(
        ("acme", ONE, "settled"), ("acme", TWO, "provisional"), ("labs", ONE, "missing")
    )
    assert newest_read(ahead) == TWO
    assert newest_read(covered(("acme", ONE, "missing"))) is None
