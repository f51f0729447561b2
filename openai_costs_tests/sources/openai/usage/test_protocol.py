from collections.abc import Callable
from datetime import date

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    IncompleteRead,
    LookbackExceeded,
    RequestRefused,
)
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openai.costs.protocol import WindowRead
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.openai.usage.source import read_window
from openai_costs_tests.sources.openai.usage.wire import ENDPOINTS
from openai_costs_tests.sources.openai.wire import (
    after,
    asked_days,
    converse,
    empty_days,
    grouping_of,
    span,
)

WEEK = span(7)
NAMES = [endpoint.dataset for endpoint in USAGE_ENDPOINTS]
Answers = Callable[[Get], Body | Exception]


def no(get: Get, status: int = 404, said: str = "Not for you.") -> RequestRefused:
    return RequestRefused(ErrorAnswer("acme", status, get.path, said))


def too_old(get: Get) -> LookbackExceeded:
    return LookbackExceeded(ErrorAnswer("acme", 400, get.path, "too long ago"))


def name_of(get: Get) -> str:
    return get.path.rsplit("/", 1)[-1]


def empty(get: Get) -> Body:
    return empty_days(asked_days(get.params))


def but(refuses: Callable[[Get], bool], how: Callable[[Get], Exception] = no) -> Answers:
    """ErrorAnswer with empty days, except where asked for something that is refused."""
    return lambda get: how(get) if refuses(get) else empty(get)


def from_day(first: date, *names: str) -> Answers:
    """Endpoints whose history begins on a day."""
    return but(lambda get: name_of(get) in names and asked_days(get.params).first < first, too_old)


def read(answer: Answers, window: DayRange = WEEK) -> tuple[WindowRead, list[Get]]:
    return converse(read_window(window), answer)


def test_every_endpoint_is_asked_once_for_the_whole_window_in_its_finest_grouping():
    found, asked = read(empty)
    assert list(found.answers) == [name_of(get) for get in asked] == NAMES
    assert found.absent == {}
    for get in asked:
        assert grouping_of(get.params) == tuple(ENDPOINTS[name_of(get)].dimensions)
        assert asked_days(get.params) == WEEK
        assert ("limit", "7") in get.params


def test_a_page_never_has_more_than_31_days():
    _, asked = read(empty, span(90))
    assert {dict(get.params)["limit"] for get in asked} == {"31"}


def test_a_grouping_that_is_refused_is_asked_for_without_what_is_newest():
    found, asked = read(but(lambda get: "api_source" in grouping_of(get.params)))
    assert len(asked) == len(NAMES) + 3
    assert found.absent == {}
    for name in ("completions", "decisions", "web_search_calls"):
        assert found.answers[name].query.grouping == ENDPOINTS[name].groupings[1]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_endpoint_that_is_not_given_is_absent_with_the_providers_message(status: int):
    found, _ = read(but(lambda get: name_of(get) == "decisions", lambda get: no(get, status)))
    assert found.absent == {"decisions": "Not for you."}
    assert [*found.answers] == [name for name in NAMES if name != "decisions"]


def test_an_organization_that_is_given_no_endpoint_is_refused():
    with pytest.raises(RequestRefused, match="usage/completions"):
        read(no)


@pytest.mark.parametrize(
    "error",
    [
        AccessRefused(
            ErrorAnswer("acme", 403, "/organization/usage/images", "no scope"), "ACME_KEY"
        ),
        IncompleteRead("/organization/usage/images", "the cursor came back"),
    ],
)
def test_a_read_that_fails_anywhere_is_no_read(error: Exception):
    with pytest.raises(type(error)):
        read(but(lambda get: name_of(get) == "images", lambda _get: error))


def test_a_window_before_the_history_of_completions_is_before_that_of_usage():
    with pytest.raises(LookbackExceeded):
        read(from_day(after(3), "completions"))


@pytest.mark.parametrize("age", [1, 3, 6])
def test_an_endpoint_younger_than_the_others_is_read_for_the_days_it_has(age: int):
    found, asked = read(from_day(after(age), "decisions"))
    assert [*found.answers] == NAMES
    assert [*found.answers["decisions"].buckets] == [*DayRange(after(age), WEEK.last)]
    assert [*found.answers["images"].buckets] == [*WEEK]
    assert len(asked) <= len(NAMES) + 5


def test_an_endpoint_that_begins_after_the_window_is_absent():
    found, _ = read(from_day(after(30), "decisions"))
    assert found.absent == {"decisions": "too long ago"}


def test_an_endpoint_that_answers_differently_later_is_absent():
    found, _ = read(
        but(lambda get: name_of(get) == "images" and "group_by[]" in dict(get.params), too_old)
    )
    assert found.absent == {"images": "too long ago"}
