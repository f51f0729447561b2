from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.questions.coverage import (
    BEFORE_START,
    as_before,
    as_missing,
    complete_through,
    coverage,
    missing_ranges,
    newest_settled,
    of_costs,
    of_settled_days,
    settled_in_all,
    since_first_read,
    usage_coverage,
)
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected, day

READ_AT = datetime(2026, 11, 1, 6)  # noqa: DTZ001 - as stored
COUNTS = {"connection": pl.String, "day": pl.Date, "rows": pl.Int64}


def noon(number: int) -> datetime:
    return datetime(2026, 11, number, 12, tzinfo=UTC)


def controls(*rows: tuple[str, int, bool]) -> pl.DataFrame:
    """Control rows as (connection, day, is settled), of one dollar each."""
    found = [
        (name, day(number), Decimal(1), None, None, settled, settled, READ_AT)
        for name, number, settled in rows
    ]
    return pl.DataFrame(found, schema=SpendControl.types(), orient="row")


def counts(*rows: tuple[str, int, int]) -> pl.DataFrame:
    found = [(name, day(number), height) for name, number, height in rows]
    return pl.DataFrame(found, schema=COUNTS, orient="row")


def states(letters: str, connection: str = "acme") -> pl.DataFrame:
    """One letter per day from 1 November: s, p or m."""
    words = {"s": "settled", "p": "provisional", "m": "missing"}
    rows = [
        (connection, "costs", day(number), words[letter], None, None, None)
        for number, letter in enumerate(letters, start=1)
    ]
    return connected(rows)


def through(*frames: pl.DataFrame) -> date | None:
    return complete_through(pl.concat(frames))


def test_every_day_from_the_first_to_today_has_a_state() -> None:
    read = controls(("acme", 1, True), ("acme", 3, False))
    found = coverage(read, counts(("acme", 1, 7), ("acme", 3, 2)), {"acme": day(1)}, noon(4))
    assert found.select("day", "state", "rows", "billed_usd", "read_at").rows() == [
        (day(1), "settled", 7, Decimal(1), READ_AT),
        (day(2), "missing", None, None, None),
        (day(3), "provisional", 2, Decimal(1), READ_AT),
        (day(4), "missing", None, None, None),
    ]


def test_a_day_that_readers_must_not_see_is_missing_and_the_others_stay() -> None:
    read = controls(("acme", 1, True), ("acme", 2, True))
    found = coverage(read, counts(("acme", 1, 7), ("acme", 2, 2)), {"acme": day(1)}, noon(2))
    hidden = as_missing(found, [("acme", day(1)), ("labs", day(2))])
    assert hidden.columns == found.columns
    assert hidden.select("day", "state", "rows", "billed_usd", "read_at").rows() == [
        (day(1), "missing", None, None, None),
        (day(2), "settled", 2, Decimal(1), READ_AT),
    ]
    assert as_missing(found, []).equals(found)


def test_a_day_in_flight_is_as_it_was_and_missing_where_it_was_not_there() -> None:
    first = {"acme": day(1)}
    before = coverage(controls(("acme", 1, True)), counts(("acme", 1, 7)), first, noon(3))
    read = controls(*(("acme", number, True) for number in (1, 2, 3)))
    now = coverage(read, counts(*(("acme", number, 2) for number in (1, 2, 3))), first, noon(3))
    kept = as_before(now, before, [("acme", day(1)), ("acme", day(2))])
    assert kept.schema == now.schema
    assert kept.select("day", "state", "rows", "billed_usd", "is_over").rows() == [
        (day(1), "settled", 7, Decimal(1), True),
        (day(2), "missing", None, None, None),
        (day(3), "settled", 2, Decimal(1), True),
    ]


def test_a_day_without_spend_is_settled_at_zero_and_not_missing() -> None:
    nothing = controls(("acme", 1, True)).with_columns(
        billed_usd=pl.lit(Decimal(0), pl.Decimal(38, 18))
    )
    found = coverage(nothing, counts(("acme", 1, 0)), {"acme": day(1)}, noon(1))
    assert found.select("state", "rows", "billed_usd").rows() == [("settled", 0, Decimal(0))]


def test_a_connection_begins_at_its_own_first_day() -> None:
    found = coverage(controls(), counts(), {"acme": day(2), "bolt": day(3)}, noon(3))
    assert found.select("connection", "day").rows() == [
        ("acme", day(2)),
        ("acme", day(3)),
        ("bolt", day(3)),
    ]


def test_a_start_that_was_set_later_leaves_the_days_that_are_stored() -> None:
    read = controls(("acme", 1, True), ("acme", 4, True), ("acme", 6, True), ("labs", 1, True))
    begun = {"acme": day(4), "bolt": day(5)}
    found = coverage(read, counts(("acme", 1, 7), ("acme", 4, 7)), begun, noon(5))
    assert found.select("connection", "day", "state", "is_connected").rows() == [
        ("acme", day(1), "settled", True),
        ("acme", day(4), "settled", True),
        ("acme", day(5), "missing", True),
        ("bolt", day(5), "missing", True),
        ("labs", day(1), "settled", False),
    ]
    stored = read.select("connection", "day", "read_at", rows=pl.lit(7, pl.Int64))
    used = usage_coverage(stored, {"acme": day(4)}, timedelta(), noon(5))
    assert used["day"].to_list() == [day(1), day(4), day(5)]


def test_a_day_from_before_a_later_start_that_had_not_settled_never_will() -> None:
    read = controls(("acme", 1, True), ("acme", 2, False), ("acme", 4, False), ("labs", 1, False))
    found = coverage(read, counts(), {"acme": day(4)}, noon(5))
    assert found.select("connection", "day", "state", "reason").rows() == [
        ("acme", day(1), "settled", None),
        ("acme", day(2), "provisional", BEFORE_START),
        ("acme", day(4), "provisional", None),
        ("acme", day(5), "missing", None),
        ("labs", day(1), "provisional", None),
    ]


def test_a_connection_that_begins_tomorrow_has_no_days_yet() -> None:
    assert coverage(controls(), counts(), {"acme": day(5)}, noon(4)).is_empty()


def test_coverage_keeps_its_contract() -> None:
    found = coverage(controls(("acme", 1, True)), counts(("acme", 1, 7)), {"acme": day(1)}, noon(3))
    assert Coverage.broken_rules(found) == []


def test_usage_is_settled_when_it_was_read_late_enough_and_has_no_dollars() -> None:
    late, early = datetime(2026, 11, 3), datetime(2026, 11, 3, 23, 59)  # noqa: DTZ001 - as stored
    stored = pl.DataFrame(
        [("acme", day(1), 7, late), ("acme", day(2), 0, early)],
        schema={**COUNTS, "read_at": pl.Datetime("us")},
        orient="row",
    )
    found = usage_coverage(stored, {"acme": day(1)}, timedelta(hours=24), noon(3))
    assert found.select("source", "day", "state", "is_over", "rows", "billed_usd").rows() == [
        ("usage", day(1), "settled", True, 7, None),
        ("usage", day(2), "provisional", False, 0, None),
        ("usage", day(3), "missing", None, None, None),
    ]
    assert Coverage.broken_rules(found) == []
    assert of_costs(found).is_empty()


def test_a_day_was_over_where_its_read_says_so_and_where_it_has_settled() -> None:
    """Rows that are older than the column say nothing, and settled days were over."""
    read = controls(("acme", 1, True), *(("acme", number, False) for number in (2, 3, 4)))
    over = pl.Series("is_over", [None, True, False, None], dtype=pl.Boolean)
    found = coverage(read.with_columns(over), counts(), {"acme": day(1)}, noon(5))
    assert found["is_over"].to_list() == [True, True, False, False, None]
    assert as_missing(found, [("acme", day(2))])["is_over"].to_list()[1] is None


def test_a_read_from_after_now_settles_no_day_of_costs_or_usage() -> None:
    ahead = READ_AT + timedelta(days=400)
    read = controls(("acme", 1, True)).with_columns(read_at=pl.lit(ahead))
    found = coverage(read, counts(("acme", 1, 7)), {"acme": day(1)}, noon(1))
    assert found["is_over"].to_list() == [False]
    (of_costs_,) = found.rows()
    stored = pl.DataFrame(
        [("acme", day(1), 7, ahead)],
        schema={**COUNTS, "read_at": pl.Datetime("us")},
        orient="row",
    )
    (of_usage,) = usage_coverage(stored, {"acme": day(1)}, timedelta(hours=24), noon(1)).rows()
    assert "provisional" in of_costs_
    assert "provisional" in of_usage


def test_data_is_complete_through_the_last_settled_day_before_a_gap() -> None:
    assert through(states("sssms")) == day(3)


def test_a_provisional_day_is_not_complete() -> None:
    assert through(states("ssp")) == day(2)


def test_days_before_the_first_read_are_no_gap() -> None:
    assert through(states("mmssp")) == day(4)


def test_the_slowest_connection_decides() -> None:
    assert through(states("ssss"), states("ss", "bolt")) == day(2)


def test_a_connection_never_read_means_complete_through_no_day() -> None:
    assert through(states("ss"), states("mm", "bolt")) is None


def test_a_connection_with_only_provisional_days_means_complete_through_no_day() -> None:
    assert through(states("mpp")) is None


def test_no_coverage_is_complete_through_no_day() -> None:
    assert through(Coverage.no_rows()) is None


def test_gaps_are_ranges_of_missing_days_per_connection() -> None:
    gaps = missing_ranges(pl.concat([states("smmsm"), states("mms", "bolt")]))
    assert gaps.rows() == [
        ("acme", day(2), day(3)),
        ("acme", day(5), day(5)),
        ("bolt", day(1), day(2)),
    ]


def test_a_gap_of_one_connection_does_not_run_into_the_next() -> None:
    gaps = missing_ranges(pl.concat([states("sm"), states("ssm", "bolt")]))
    assert gaps.rows() == [("acme", day(2), day(2)), ("bolt", day(3), day(3))]


def test_no_missing_day_is_no_gap() -> None:
    assert missing_ranges(states("sssp")).is_empty()


def test_history_begins_with_the_first_read_of_each_connection() -> None:
    found = since_first_read(pl.concat([states("mmsm"), states("sm", "bolt")]))
    assert found.select("connection", "day").rows() == [
        ("acme", day(3)),
        ("acme", day(4)),
        ("bolt", day(1)),
        ("bolt", day(2)),
    ]


def test_a_connection_never_read_has_no_history() -> None:
    assert since_first_read(states("mmm")).is_empty()


def test_a_connection_that_is_not_read_takes_no_other_connections_days() -> None:
    frame = pl.concat([states("ssp"), states("smm", "beta")])
    names = ["acme", "beta", "gateway"]
    rows = pl.DataFrame([(name, day(n)) for name in names for n in (1, 2, 3)], orient="row")
    rows.columns = ["connection", "day"]
    found = of_settled_days(rows, frame).rows()
    assert found == [
        ("acme", day(1)),
        ("acme", day(2)),
        ("beta", day(1)),
        ("gateway", day(1)),
    ]
    assert dict(newest_settled(frame).rows()) == {"acme": day(2), "beta": day(1)}


def test_a_connection_never_read_settles_no_days_of_all_and_takes_none_away() -> None:
    frame = pl.concat([states("ssp"), states("mmm", "beta")])
    rows = pl.DataFrame({"connection": ["gateway"] * 3, "day": [day(1), day(2), day(3)]})
    assert settled_in_all(frame).to_list() == [day(1), day(2)]
    assert of_settled_days(rows, frame)["day"].to_list() == [day(1), day(2)]
