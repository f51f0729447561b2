"""The one paging loop, by a list of letters; and where its three earlier copies disagreed."""

import json
from collections.abc import Callable, Generator

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    CursorRefused,
    ErrorAnswer,
    IncompleteRead,
    LookbackExceeded,
    RequestRefused,
)
from openai_costs.sources.gateway.litellm import protocol as litellm
from openai_costs.sources.http.paging import (
    MOST_RESTARTS,
    Body,
    Garbled,
    Get,
    Page,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.costs.protocol import richest
from openai_costs.sources.openai.organization.endpoints import USERS
from openai_costs.sources.openai.organization.protocol import Question, read_list, read_or_refused
from openai_costs.sources.openai.paging import Query, complete
from openai_costs_tests.sources.openai.organization.wire import page as list_page
from openai_costs_tests.sources.openai.organization.wire import user
from openai_costs_tests.sources.openai.wire import DAY, bucket, converse, in_turn, page, span

PATH = "/letters"
REFUSED = RequestRefused(ErrorAnswer("acme", 400, PATH, "The page token is invalid."))
GONE = LookbackExceeded(ErrorAnswer("acme", 400, PATH, "too old"))


def letters(content: str, *, cursor: str = "", has_more: bool | None = None) -> bytes:
    more = bool(cursor) if has_more is None else has_more
    return json.dumps({"letters": content, "more": more, "next": cursor}).encode()


def read(
    *answers: Body | Exception, wanted: int | None = None, most_pages: int = 9
) -> tuple[str, list[str | None]]:
    """Read letters until the last page; `wanted` is how many prove that nothing is missing."""

    def attempt() -> Generator[Get, Body, list[Page]]:
        found: list[str] = []

        def end(body: Body, _cursor: str | None) -> PageEnd:
            try:
                said = json.loads(body)
            except ValueError:
                raise Garbled("no letters") from None
            found.extend(said["letters"])
            return PageEnd(said["more"], said["next"], not said["letters"])

        return all_pages(
            Paging(ask, end, "next", lambda: len(found) == wanted, most_pages, "letters")
        )

    pages, asked = converse(restarted(attempt, PATH), in_turn(*answers))
    content = "".join(json.loads(one.body)["letters"] for one in pages)
    return content, [dict(get.params).get("from") for get in asked]


def ask(cursor: str | None) -> Get:
    return Get(PATH, () if cursor is None else (("from", cursor),))


def test_every_page_is_asked_for_with_the_cursor_of_the_one_before():
    found = read(letters("ab", cursor="c"), letters("c", cursor="d"), letters("de"))
    assert found == ("abcde", [None, "c", "d"])


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (letters("a", has_more=True), "names no next cursor"),
        (letters("a", cursor="x"), "'x' came back"),
        (letters("", cursor="x"), "an empty page says has_more"),
        (b"half", "no letters"),
    ],
)
def test_paging_that_makes_no_sense_starts_again_and_then_fails(trouble: bytes, words: str):
    with pytest.raises(IncompleteRead, match=words):
        read(trouble)
    whole = letters("abc")
    assert read(trouble, whole if trouble == b"half" else trouble, whole)[0].endswith("abc")


def test_an_endless_list_is_given_up():
    pages = [letters("a", cursor=str(number)) for number in range(10)] * 4
    with pytest.raises(IncompleteRead, match="more than 9 pages for letters"):
        read(*pages)


@pytest.mark.parametrize("behind", [letters("", cursor="y"), REFUSED], ids=["empty", "refused"])
def test_a_page_behind_whole_content_ends_the_answer(behind: Body | Exception):
    """The content is believed more than its envelope."""
    assert read(letters("ab", cursor="x"), behind, wanted=2) == ("ab", [None, "x"])


@pytest.mark.parametrize("behind", [letters("", cursor="y"), REFUSED], ids=["empty", "refused"])
def test_a_page_behind_unfinished_content_starts_the_answer_again(behind: Body | Exception):
    found = read(letters("a", cursor="x"), behind, letters("ab"), wanted=2)
    assert found == ("ab", [None, "x", None])


def test_a_cursor_that_is_refused_in_every_attempt_is_reported_in_the_providers_words():
    with pytest.raises(CursorRefused, match="The page token is invalid") as refused:
        read(*[letters("a", cursor="x"), REFUSED] * (MOST_RESTARTS + 1), wanted=2)
    assert refused.value.is_retryable


@pytest.mark.parametrize("first", [REFUSED, GONE])
def test_a_refused_first_page_is_a_refusal_at_once(first: RequestRefused):
    with pytest.raises(type(first)) as refused:
        read(first)
    assert refused.value is first


# --- where the three copies disagreed --------------------------------------------------------
# Costs and usage (day buckets), the organization's lists, and LiteLLM's numbered pages.


def days(has_more: str = "") -> bytes:
    return page(bucket(DAY), has_more=bool(has_more), next_page=has_more or None)


def keys(number: int, *names: str, total: int, last: int = 2) -> bytes:
    counts = {"total_count": total, "current_page": number, "total_pages": last}
    return json.dumps({"keys": list(names), **counts}).encode()


DATED = (lambda: complete(Query(COSTS, span(1))), days("x"))
LISTED = (lambda: read_list(Question(USERS)), list_page(user("ada"), has_more=True))
NUMBERED = (lambda: litellm.complete(litellm.live_keys()), keys(1, "a", total=2))
Kind = tuple[Callable[[], Generator[Get, Body, object]], bytes]


@pytest.mark.parametrize("kind", [LISTED, NUMBERED], ids=["lists", "gateway"])
def test_a_refused_later_page_of_any_source_is_asked_for_again_from_the_first(kind: Kind):
    """Only the costs did. A list ended at once, and was taken for one that the key is not given."""
    start, first = kind
    with pytest.raises(CursorRefused):
        converse(start(), in_turn(*[first, REFUSED] * (MOST_RESTARTS + 1)))


def test_a_later_page_of_days_may_be_refused_where_every_day_is_there():
    """The costs failed although they held every day: the last cursor is of no use."""
    start, first = DATED
    answer, asked = converse(start(), in_turn(first, REFUSED))
    assert [*answer.buckets] == [DAY]
    assert len(asked) == 2


def test_a_list_whose_later_page_is_refused_is_not_absent():
    _, first = LISTED
    with pytest.raises(CursorRefused):
        converse(read_or_refused(Question(USERS)), in_turn(*[first, REFUSED] * (MOST_RESTARTS + 1)))
    found, _ = converse(read_or_refused(Question(USERS)), in_turn(REFUSED))
    assert found.absent == "HTTP 400: The page token is invalid."


def test_a_ledger_whose_later_page_is_refused_steps_down_to_no_coarser_grouping():
    """A cursor that is refused says nothing about the grouping: it took the users off the bill."""
    query = Query(COSTS, DayRange(DAY, span(2).last))
    asked: list[Get] = []

    def answer(get: Get) -> Body | Exception:
        asked.append(get)
        return REFUSED if dict(get.params).get("page") else days("x")

    with pytest.raises(CursorRefused):
        converse(richest(query, (("user_id",), ("project_id",))), answer)
    assert {dict(get.params)["group_by[]"] for get in asked} == {"user_id"}
