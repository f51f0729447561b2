"""A report's pages, without a network: what is asked, and when an answer is complete."""

from datetime import date, timedelta

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ErrorAnswer, IncompleteRead, RequestRefused
from openai_costs.sources.anthropic.costs.endpoints import (
    ANALYTICS_COST,
    COST_REPORT,
    LEDGER_GROUPING,
    REFINEMENTS,
    refinement_grouping,
)
from openai_costs.sources.anthropic.paging import Query, complete
from openai_costs.sources.http.paging import Body
from openai_costs_tests.sources.anthropic.wire import DAY, page, row
from openai_costs_tests.sources.openai.wire import converse, in_turn

DAYS = DayRange(DAY, DAY + timedelta(days=1))
QUERY = Query(ANALYTICS_COST, DAYS, LEDGER_GROUPING)
FREE = {"cost_type", "token_type"}


def refused_after(*answers: Body | Exception) -> str:
    with pytest.raises(IncompleteRead) as refused:
        converse(complete(QUERY), in_turn(*answers))
    return str(refused.value)


def test_whole_days_are_asked_for_with_an_end_and_in_the_order_of_time():
    params = QUERY.get().params
    assert params[:6] == (
        ("starting_at", "2026-11-14T00:00:00Z"),
        ("ending_at", "2026-11-16T00:00:00Z"),
        ("time_bucket_width", "1d"),
        ("limit", "1000"),
        ("order_by", "time"),
        ("order", "asc"),
    )


def test_no_grouping_has_more_than_the_five_dimensions_that_the_vendor_accepts():
    groupings = [LEDGER_GROUPING, *map(refinement_grouping, REFINEMENTS.values())]
    assert [len({*one} - FREE) for one in groupings] == [5] * len(groupings)
    assert not any("rbac_group_id" in one for one in groupings)


def test_a_page_that_is_shorter_or_longer_than_its_limit_is_not_the_last_one():
    many = [row(str(cents)) for cents in range(1001)]
    pages = (
        page(row("1"), has_more=True, cursor="a"),
        page(*many, has_more=True, cursor="b"),
        page(),
    )
    read, asked = converse(complete(QUERY), in_turn(*pages))
    assert [dict(one.params).get("page") for one in asked] == [None, "a", "b"]
    assert len(read.entries[DAY]) == 1002


def test_a_day_without_rows_is_an_empty_day():
    read, _ = converse(complete(QUERY), in_turn(page(row())))
    assert read.body(DAYS.last) == b'{"data_refreshed_at":null,"data":[]}'


def test_entries_are_kept_as_they_were_sent():
    body = page(row("675.00045"))
    read, _ = converse(complete(QUERY), in_turn(body))
    assert bytes(read.entries[DAY][0]) in body


def test_the_earliest_refresh_of_all_pages_counts():
    first = (
        page(row(), has_more=True, cursor="a")[:-1]
        + b', "data_refreshed_at": "2026-11-21T02:00:00Z"}'
    )
    last = page(row())[:-1] + b', "data_refreshed_at": "2026-11-20T23:00:00Z"}'
    read, _ = converse(complete(QUERY), in_turn(first, last))
    assert read.refreshed_at == "2026-11-20T23:00:00Z"


def test_a_page_that_does_not_say_whether_it_has_more_goes_on_while_it_names_a_cursor():
    first = page(row(), cursor="a").replace(b'"has_more": false, ', b"")
    read, asked = converse(complete(QUERY), in_turn(first, page(row())))
    assert len(asked) == len(read.entries[DAY]) == 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (page(row(), has_more=True, cursor="same"), "came back"),
        (page(row(), has_more=True), "names no next_page cursor"),
        (page(has_more=True, cursor="x"), "an empty page says has_more"),
        (b'{"rows": []}', "not the JSON of a page"),
        (b"<html>busy</html>", "not the JSON of a page"),
        (page(row(day=date(2026, 11, 20))), "which was not requested"),
        (page(row() | {"starting_at": "2026-11-14T06:00:00Z"}), "is not a UTC day"),
        (page({"group": {}, "cost": {}}), "no readable starting_at"),
    ],
)
def test_an_answer_that_makes_no_sense_is_never_taken_for_complete(body: bytes, why: str):
    assert why in refused_after(body)


def test_a_page_behind_the_first_that_is_refused_leaves_nothing():
    gone = RequestRefused(ErrorAnswer("claude", 400, "/organizations/analytics/cost", "expired"))
    answers = in_turn(*[page(row(), has_more=True, cursor="a"), gone] * 4)
    with pytest.raises(RequestRefused):
        converse(complete(QUERY), answers)


def test_a_day_that_is_not_over_may_be_cut_short():
    short = row() | {"ending_at": "2026-11-14T09:00:00Z"}
    read, _ = converse(complete(Query(ANALYTICS_COST, DAYS, (), DAY)), in_turn(page(short)))
    assert len(read.entries[DAY]) == 1


def test_the_older_report_has_one_entry_for_each_day():
    bucket = {one: value for one, value in row().items() if one.endswith("_at")} | {"results": []}
    with pytest.raises(IncompleteRead, match="came twice"):
        converse(complete(Query(COST_REPORT, DAYS)), in_turn(page(bucket, bucket)))
