from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from openai_costs.kernel.days import DayRange, epoch
from openai_costs.kernel.errors import (
    BodyTooLarge,
    CursorRefused,
    ErrorAnswer,
    IncompleteRead,
    LookbackExceeded,
    ProviderUnavailable,
    RequestRefused,
)
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.options import USUAL, WireOptions
from openai_costs.sample.api.serving import InProcessTransport
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.sample.faults.faults import Faults
from openai_costs.sources.http.access import Access
from openai_costs.sources.http.paging import MOST_PAGES, MOST_RESTARTS, Body, Get
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.openai.connection import API
from openai_costs.sources.openai.costs.endpoints import COSTS, LEDGER_GROUPINGS, Endpoint
from openai_costs.sources.openai.costs.protocol import find_floor, read_window
from openai_costs.sources.openai.paging import Answer, Query, complete
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs_tests.sources.openai.wire import (
    COARSEST,
    DAY,
    READ_AT,
    WITH_USERS,
    WITHOUT_USERS,
    after,
    asked_days,
    bucket,
    converse,
    empty_days,
    grouping_of,
    in_turn,
    page,
    result,
    span,
)

THREE = span(3)
WEEK = Query(COSTS, THREE, grouping=("project_id", "line_item"))
WHOLE = empty_days(THREE)


def refused(said: str = "no", code: str = "") -> RequestRefused:
    return RequestRefused(ErrorAnswer("acme", 400, COSTS.path, said, code))


def too_old() -> LookbackExceeded:
    return LookbackExceeded(
        ErrorAnswer("acme", 400, COSTS.path, "too old", "reporting_lookback_exceeded")
    )


TOKEN_REFUSED = "The page token is invalid, have you modified the query parameters?"  # noqa: S105


def read(*answers: Body | Exception, query: Query = WEEK) -> tuple[Answer, list[Get]]:
    return converse(complete(query), in_turn(*answers))


def incomplete(*answers: Body | Exception, query: Query = WEEK) -> str:
    with pytest.raises(IncompleteRead, match="nothing from this read was kept") as broken:
        read(*answers, query=query)
    assert broken.value.is_retryable
    return broken.value.why


def days_of(answer: Answer) -> list[date]:
    return sorted(answer.buckets)


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 180))
def test_a_request_covers_whole_utc_days_with_an_explicit_end(first: date, days: int):
    said = dict(Query(COSTS, span(days, first)).get().params)
    assert int(said["start_time"]) % 86_400 == int(said["end_time"]) % 86_400 == 0
    assert int(said["end_time"]) - int(said["start_time"]) == days * 86_400
    assert days <= int(said["limit"]) <= 180
    assert said["bucket_width"] == "1d"


def test_the_days_asked_for_are_the_days_of_the_window():
    get = WEEK.get()
    assert asked_days(get.params) == THREE
    assert grouping_of(get.params) == ("project_id", "line_item")
    assert get.path == "/organization/costs"


def test_a_window_longer_than_a_page_asks_for_the_longest_page():
    assert dict(Query(COSTS, span(200)).get().params)["limit"] == "180"


def test_only_a_single_day_may_be_as_large_as_it_likes():
    assert Query(COSTS, span(1)).get().may_be_large
    assert not Query(COSTS, span(2)).get().may_be_large


def test_one_page_with_every_day_is_a_complete_answer():
    answer, asked = read(WHOLE)
    assert days_of(answer) == list(THREE)
    assert len(asked) == 1


def test_a_bucket_is_handed_on_byte_for_byte():
    odd = bucket(DAY, '{"object" : "new" ,"amount":{"value":0.10}}')
    answer, _ = read(page(odd), query=Query(COSTS, span(1)))
    assert bytes(answer.buckets[DAY]) == odd.encode()


def test_days_in_any_order_are_the_same_days():
    answer, _ = read(empty_days([after(2), after(0), after(1)]))
    assert days_of(answer) == list(THREE)


def test_pages_are_read_to_the_last_with_every_parameter_frozen():
    answer, asked = read(
        empty_days([DAY], has_more=True, cursor="a%3D="),
        empty_days([after(1)], has_more=True, cursor="b"),
        empty_days([after(2)]),
    )
    assert days_of(answer) == list(THREE)
    first, *others = [get.params for get in asked]
    assert others == [(*first, ("page", "a%3D=")), (*first, ("page", "b"))]


@pytest.mark.parametrize(
    ("said", "because"),
    [
        (b"", "not the JSON of a page"),
        (WHOLE[: len(WHOLE) // 2], "not the JSON of a page"),
        (b"<html>", "not the JSON of a page"),
        (b"[]", "not the JSON of a page"),
        (b'{"object": "page", "data": []}', "has_more"),
        (b'{"object": "page", "data": null, "has_more": false}', "not the JSON of a page"),
        (page(bucket(DAY, result("NaN"))), "near .*NaN"),
        (empty_days([]), "3 days missing"),
        (empty_days([DAY, after(2)]), "no bucket for 2026-03-11"),
        (empty_days([*THREE, after(1)]), "2026-03-11 came twice"),
        (empty_days([*THREE, after(3)]), "2026-03-13, which was not requested"),
        (empty_days([after(-1), *THREE]), "2026-03-09, which was not requested"),
        (page(bucket(DAY, seconds=3_600)), "not one whole UTC day"),
        (page(bucket(DAY, seconds=2 * 86_400)), "not one whole UTC day"),
        (page(bucket(DAY, starts=60, seconds=86_340)), "2026-03-10 00:01 UTC is not one whole"),
        (page('{"results": []}'), "no readable start_time"),
        (page('{"start_time": "soon", "end_time": 1}'), "no readable start_time"),
        (page("null"), "no readable start_time"),
        (page('{"start_time": 86400000000000, "end_time": 86400000086400}'), "bucket"),
        (page(f'{{"start_time": {10**30}, "end_time": {10**30 + 86_400}}}'), "bucket"),
        (empty_days(THREE, has_more=True), "names no next_page"),
        (empty_days(THREE, has_more=True, cursor=""), "names no next_page"),
        (empty_days([], has_more=True, cursor="a"), "an empty page says has_more"),
    ],
)
def test_an_answer_that_makes_no_sense_is_never_half_kept(said: bytes, because: str):
    with pytest.raises(IncompleteRead, match=because):
        read(said)


def test_a_number_that_is_none_in_a_page_is_not_blamed_on_paging():
    with pytest.raises(IncompleteRead) as broken:
        read(page(bucket(DAY, result("NaN"))))
    assert "paging" not in str(broken.value)
    assert "near 'NaN" in str(broken.value)


def test_a_cursor_that_comes_back_ends_the_read():
    first = empty_days([DAY], has_more=True, cursor="a")
    again = empty_days([after(1)], has_more=True, cursor="a")
    assert "'a' came back" in incomplete(*[first, again] * 5)


def test_the_last_page_missing_leaves_nothing_of_the_first():
    first = empty_days([DAY, after(1)], has_more=True, cursor="a")
    with pytest.raises(ProviderUnavailable):
        read(first, ProviderUnavailable("acme", COSTS.path, "HTTP 503"))


def test_an_empty_page_behind_the_last_day_ends_the_read():
    answer, asked = read(
        empty_days(THREE, has_more=True, cursor="a"), empty_days([], has_more=True, cursor="b")
    )
    assert days_of(answer) == list(THREE)
    assert len(asked) == 2


def test_an_empty_page_before_the_last_day_is_not_the_end():
    first = empty_days([DAY], has_more=True, cursor="a")
    assert "an empty page" in incomplete(*[first, empty_days([], has_more=True, cursor="b")] * 5)


def test_pages_without_end_are_given_up():
    numbers = iter(range(10**6))

    def endless(_get: Get) -> bytes:
        return empty_days([after(next(numbers) % 7_000)], has_more=True, cursor=str(next(numbers)))

    with pytest.raises(IncompleteRead, match=f"more than {MOST_PAGES} pages"):
        converse(complete(Query(COSTS, span(7_000))), endless)


@pytest.mark.parametrize("trouble", [b"half", empty_days([DAY])])
def test_a_read_starts_again_from_its_first_page(trouble: bytes | Exception):
    first = empty_days([DAY], has_more=True, cursor="a")
    answer, asked = read(first, trouble, empty_days(THREE))
    assert days_of(answer) == list(THREE)
    assert asked[2] == asked[0] == WEEK.get()


def test_a_page_token_refused_for_ever_ends_in_the_providers_words():
    first = empty_days([DAY], has_more=True, cursor="a")
    with pytest.raises(RequestRefused, match="The page token is invalid"):
        read(*[first, refused(TOKEN_REFUSED)] * (MOST_RESTARTS + 1))


BROKEN_CURSORS = {
    "refused": lambda _asked: refused(TOKEN_REFUSED),
    "repeats the page": lambda asked: empty_days(asked[:1], has_more=True, cursor="a"),
    "comes back": lambda asked: empty_days(asked[1:2], has_more=True, cursor="a"),
    "brings nothing": lambda _asked: empty_days([], has_more=True, cursor="b"),
}


def days_asked(get: Get) -> list[date]:
    first, end = (int(dict(get.params)[name]) for name in ("start_time", "end_time"))
    return [each for each in span(9) if first <= epoch(each) < end]


@pytest.mark.parametrize("cursor", BROKEN_CURSORS)
@pytest.mark.parametrize("endpoint", [COSTS, USAGE_ENDPOINTS[0]], ids=["costs", "usage"])
def test_the_days_behind_a_broken_cursor_are_asked_for_as_a_window_without_one(
    cursor: str, endpoint: Endpoint
):
    """An API that serves one day for each request, and whose every cursor is of no use."""

    def answer(get: Get) -> Body | Exception:
        asked = days_asked(get)
        if dict(get.params).get("page"):
            return BROKEN_CURSORS[cursor](asked) if len(asked) > 1 else refused(TOKEN_REFUSED)
        return empty_days(asked[:1], has_more=True, cursor="a")

    found, asked = converse(complete(Query(endpoint, span(4), grouping=("project_id",))), answer)
    assert days_of(found) == list(span(4))
    rests = [get for get in asked if "page" not in dict(get.params)]
    assert [days_asked(get)[-1] for get in rests] == [after(3)] * len(rests)
    assert {dict(get.params)["group_by[]"] for get in asked} == {"project_id"}
    assert len(asked) <= 8


def test_days_that_no_window_brings_are_never_taken_for_empty_ones():
    def answer(get: Get) -> Body | Exception:
        if dict(get.params).get("page"):
            return refused(TOKEN_REFUSED)
        asked = days_asked(get)
        return empty_days([DAY] if DAY in asked else [], has_more=True, cursor="a")

    with pytest.raises(RequestRefused, match="The page token is invalid"):
        converse(complete(WEEK), answer)


def test_a_refused_rest_of_a_window_is_no_refusal_of_its_grouping():
    def answer(get: Get) -> Body | Exception:
        if DAY in days_asked(get) and "page" not in dict(get.params):
            return empty_days([DAY], has_more=True, cursor="a")
        return refused("group_by is wrong")

    with pytest.raises(CursorRefused):
        converse(complete(WEEK), answer)


def test_a_whole_answer_whose_cursor_repeats_the_page_is_complete():
    whole = page(*(bucket(each, result("1.25")) for each in THREE), has_more=True, next_page="a")
    answer, asked = read(whole, whole, query=WEEK)
    assert days_of(answer) == list(THREE)
    assert len(asked) == 2


def test_a_whole_answer_whose_cursor_brings_other_amounts_for_a_day_makes_no_sense():
    whole = page(*(bucket(each, result("1.25")) for each in THREE), has_more=True, next_page="a")
    other = page(bucket(after(1), result("9.00")), has_more=True, next_page="b")
    assert "2026-03-11 came twice" in incomplete(*[whole, other] * (MOST_RESTARTS + 1))


def test_starting_again_has_an_end():
    conversation = complete(WEEK)
    with pytest.raises(IncompleteRead):
        converse(conversation, seen := Counting(b"half"))
    assert seen.count == MOST_RESTARTS + 1


def test_another_refusal_is_not_asked_again():
    with pytest.raises(RequestRefused):
        converse(complete(WEEK), seen := Counting(refused("group_by is wrong")))
    assert seen.count == 1


class Counting:
    def __init__(self, said: Body | Exception) -> None:
        self.said, self.count = said, 0

    def __call__(self, _get: Get) -> Body | Exception:
        self.count += 1
        return self.said


@pytest.mark.parametrize(
    "today",
    [
        pytest.param([], id="absent"),
        pytest.param([bucket(after(2), seconds=40_000)], id="cut short"),
        pytest.param([bucket(after(2))], id="whole"),
    ],
)
def test_a_day_that_is_not_over_may_be_absent_or_cut_short(today: list[str]):
    query = Query(COSTS, THREE, open_day=after(2))
    answer, _ = read(page(bucket(DAY), bucket(after(1)), *today), query=query)
    assert days_of(answer) == list(THREE)[: 2 + len(today)]


def test_a_day_that_is_over_may_not_be_cut_short_because_today_is():
    query = Query(COSTS, THREE, open_day=after(2))
    why = incomplete(page(bucket(DAY), bucket(after(1), seconds=40_000)), query=query)
    assert "2026-03-11" in why


def test_an_open_day_is_still_cut_at_midnight():
    query = Query(COSTS, THREE, open_day=after(2))
    today = bucket(after(2), starts=60, seconds=40_000)
    assert "not one whole" in incomplete(page(bucket(DAY), bucket(after(1)), today), query=query)


def accepting(*groupings: tuple[str, ...]) -> Callable[[Get], Body | Exception]:
    """Answer these groupings, and questions without `project_id`; refuse every other."""

    def answer(get: Get) -> Body | Exception:
        asked = grouping_of(get.params)
        if "project_id" in asked and asked not in groupings:
            return refused("'user_id' cannot be combined with 'project_id'")
        return empty_days(asked_days(get.params))

    return answer


def test_a_ledger_with_users_needs_no_user_view():
    window, asked = converse(read_window(THREE), accepting(*LEDGER_GROUPINGS))
    assert [grouping_of(get.params) for get in asked] == [WITH_USERS, ()]
    assert sorted(window.answers) == ["control", "ledger"]
    assert window.refused == ()


def test_a_ledger_without_users_is_joined_by_the_user_view():
    window, asked = converse(read_window(THREE), accepting(WITHOUT_USERS, COARSEST))
    assert [grouping_of(get.params) for get in asked] == [
        WITH_USERS,
        WITHOUT_USERS,
        ("user_id", "line_item"),
        (),
    ]
    assert window.answers["ledger"].query.grouping == WITHOUT_USERS
    assert window.refused == (WITH_USERS,)


def test_the_methods_are_tried_to_the_last_one():
    window, _ = converse(read_window(THREE), accepting(COARSEST))
    assert window.answers["ledger"].query.grouping == COARSEST
    assert window.refused == (WITH_USERS, WITHOUT_USERS)


def test_an_organization_that_gives_no_users_has_its_ledger_all_the_same():
    def answer(get: Get) -> Body | Exception:
        asked = grouping_of(get.params)
        return refused("no users") if "user_id" in asked else empty_days(asked_days(get.params))

    window, asked = converse(read_window(THREE), answer)
    assert sorted(window.answers) == ["control", "ledger"]
    assert window.absent == {"user_view": "no users"}
    assert grouping_of(asked[-1].params) == ()


def test_a_user_view_that_does_not_arrive_is_no_refusal():
    def answer(get: Get) -> Body | Exception:
        asked = grouping_of(get.params)
        if asked == ("user_id", "line_item"):
            return ProviderUnavailable("acme", COSTS.path, "down")
        return refused() if "user_id" in asked else empty_days(asked_days(get.params))

    with pytest.raises(ProviderUnavailable):
        converse(read_window(THREE), answer)


def test_an_organization_that_refuses_every_grouping_is_a_refusal():
    with pytest.raises(RequestRefused, match="cannot be combined"):
        converse(read_window(THREE), accepting())


def test_a_known_refusal_is_not_asked_for_again():
    _, asked = converse(read_window(THREE, LEDGER_GROUPINGS[2:]), accepting(COARSEST))
    assert WITH_USERS not in [grouping_of(get.params) for get in asked]


@pytest.mark.parametrize(
    "trouble",
    [too_old(), BodyTooLarge(COSTS.path, 1, 1), ProviderUnavailable("acme", COSTS.path, "down")],
)
def test_trouble_that_is_no_grouping_does_not_step_down(trouble: Exception):
    with pytest.raises(type(trouble)):
        converse(read_window(THREE), seen := Counting(trouble))
    assert seen.count == 1


def test_a_half_paged_ledger_does_not_step_down():
    with pytest.raises(IncompleteRead):
        converse(read_window(THREE), seen := Counting(empty_days([DAY])))
    assert seen.count == MOST_RESTARTS + 1


def test_today_may_be_missing_from_every_part_of_a_window():
    closed = empty_days([DAY, after(1)])
    window, _ = converse(read_window(THREE, open_day=after(2)), in_turn(closed))
    assert [days_of(answer) for answer in window.answers.values()] == [[DAY, after(1)]] * 2


def kept_since(floor: date) -> Callable[[Get], Body | Exception]:
    def answer(get: Get) -> Body | Exception:
        days = asked_days(get.params)
        return empty_days(days) if days.first >= floor else too_old()

    return answer


def test_every_floor_in_a_window_is_found_exactly_within_nine_requests():
    window = span(180)
    for age in range(181):
        floor, asked = converse(find_floor(window), kept_since(after(age)))
        assert floor == after(age)
        assert len(asked) <= 9


@given(st.integers(1, 400), st.integers(0, 400))
def test_a_floor_is_found_in_a_window_of_any_length(days: int, age: int):
    floor, asked = converse(find_floor(span(days)), kept_since(after(min(age, days))))
    assert floor == after(min(age, days))
    assert len(asked) <= days.bit_length()


def test_a_search_for_the_floor_asks_for_no_grouping():
    _, asked = converse(find_floor(span(180)), kept_since(after(77)))
    assert {grouping_of(get.params) for get in asked} == {()}
    assert {asked_days(get.params).last for get in asked} == {span(180).last}


def test_a_search_for_the_floor_stops_at_any_other_refusal():
    with pytest.raises(RequestRefused, match="something else"):
        converse(find_floor(THREE), in_turn(refused("something else")))


TODAY = READ_AT.date()
ORGANISATION = sample_organisation(TODAY, days=60)


def sample(spec: str = "", options: WireOptions = USUAL) -> Callable[[Get], Body | Exception]:
    """The sample API as the other side of a conversation."""

    def now() -> datetime:
        return READ_AT

    app = create_app(ORGANISATION, now=now, faults=Faults.parse(spec), options=options)
    access = Access(
        "acme",
        "http://127.0.0.1/v1",
        lambda: SecretStr("sk-admin-sample"),
        "KEY",
        (COSTS.path,),
        API,
    )
    transport = Transport(access, InProcessTransport(app))

    def answer(get: Get) -> Body | Exception:
        try:
            return transport.get(get.path, get.params, may_be_large=get.may_be_large)
        except RequestRefused as no:
            return no

    return answer


CLOSED = DayRange(TODAY - timedelta(days=30), TODAY - timedelta(days=1))


def test_the_sample_api_answers_a_window_in_two_requests():
    window, asked = converse(read_window(CLOSED), sample())
    assert len(asked) == 2
    assert {tuple(days_of(answer)) for answer in window.answers.values()} == {tuple(CLOSED)}


@pytest.mark.parametrize(
    "spec",
    [
        "repeated-cursor@1",
        "missing-cursor@1",
        "empty-page@1",
        "truncated-json@1",
        "nan@1",
        "missing-bucket@1",
        "duplicate-bucket@1",
        "repeated-cursor@1,page-token-400@2",
    ],
)
def test_a_spoiled_page_of_the_sample_api_heals_by_starting_again(spec: str):
    clean, _ = converse(complete(Query(COSTS, CLOSED)), sample())
    healed, _ = converse(complete(Query(COSTS, CLOSED)), sample(spec))
    assert {day: bytes(said) for day, said in healed.buckets.items()} == {
        day: bytes(said) for day, said in clean.buckets.items()
    }


def test_the_sample_api_shows_today_as_a_day_that_is_not_over():
    today = DayRange(TODAY - timedelta(days=2), TODAY)
    answer, _ = converse(complete(Query(COSTS, today, open_day=TODAY)), sample())
    assert days_of(answer) == list(today)
    assert epoch(TODAY) % 86_400 == 0


def test_the_floor_of_the_sample_api_is_found():
    floor = TODAY - timedelta(days=17)
    found, _ = converse(find_floor(CLOSED), sample(options=WireOptions(lookback_floor=floor)))
    assert found == floor
