"""Tokens that were deleted and made again with the same secret: they are in both lists for good."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.sources.gateway.listing import DELETED, Listing, TokenRow
from openai_costs.tables.core.gateway_tokens import REASSIGNED
from openai_costs_tests.examples import examples
from openai_costs_tests.sources.gateway.test_registry import DAY, FILE, day, days_of, listing, made

LIVE = TokenRow("tok", "maps", "active", openai_api_key_id="key_0")
GONE = LIVE._replace(status=DELETED)
AGAIN = TokenRow("tok", "maps-2", "active", openai_api_key_id="key_1")


def at(row: TokenRow, number: int) -> TokenRow:
    return row._replace(created_at=datetime.combine(day(number), time(9)))


def states(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["name"], row["status"], row["is_current"], *days_of(row)) for row in rows]


def test_a_token_that_was_made_again_is_what_its_live_row_says() -> None:
    """It had the status, the alias and the key of the deleted row for ever."""
    pause = (listing(LIVE), listing(GONE, on=day(2)), listing(GONE, on=day(4)))
    for both in ((AGAIN, GONE), (GONE, AGAIN)):
        assert states(made(*pause, listing(*both, on=day(6)))) == [
            ("maps", REASSIGNED, False, "key_0", None, day(1)),
            ("maps-2", "active", True, "key_1", day(1), None),
        ]


def test_a_token_that_was_deleted_and_made_again_between_two_lists_was_on_both_bills() -> None:
    assert states(made(listing(LIVE), listing(AGAIN, GONE, on=day(1)))) == [
        ("maps", REASSIGNED, False, "key_0", None, DAY),
        ("maps-2", "active", True, "key_1", day(1), None),
    ]
    same = LIVE._replace(team="maps")
    (row,) = made(listing(LIVE), listing(same, GONE, on=day(1)))
    assert states([row]) == [("maps", "active", True, "key_0", None, None)]


def test_what_a_deleted_row_names_held_until_the_token_was_made_again() -> None:
    """Without a list of before: its key was billed on the days of a first backfill."""
    first = listing(at(AGAIN, 4), at(GONE, 0), on=day(9))
    assert states(made(first, listing(at(AGAIN, 4), at(GONE, 0), on=day(11)))) == [
        ("maps", REASSIGNED, False, "key_0", None, day(3)),
        ("maps-2", "active", True, "key_1", day(4), None),
    ]
    for undated in (listing(AGAIN, GONE, on=day(9)), listing(AGAIN, at(GONE, 0), on=day(9))):
        assert states(made(undated)) == [("maps-2", "active", True, "key_1", None, None)]


@pytest.mark.parametrize("is_seen_deleted", [True, False])
def test_what_a_token_named_before_it_was_made_again_is_not_what_it_names_now(
    *, is_seen_deleted: bool
) -> None:
    """It has no key of its own any more: settings, or another source, say which one it uses."""
    bare = at(TokenRow("tok", "maps", "active"), 6)
    gone = [listing(at(GONE, 0), on=day(3))] if is_seen_deleted else []
    lists = [listing(at(LIVE, 0)), *gone]
    lists += [listing(bare, at(GONE, 0), on=day(number)) for number in (7, 9)]
    before, now = made(*lists)
    assert before["openai_api_key_id"] == "key_0"
    assert (now["openai_api_key_id"], now["status"], now["is_current"]) == (None, "active", True)
    of_file = listing(TokenRow("tok", openai_api_key_id="key_7"), on=day(9), by=FILE)
    now = made(*lists, of_file)[-1]
    assert (now["openai_api_key_id"], now["mapping"]) == ("key_7", FILE)
    now = made(of_file, *lists)[-1]
    assert now["openai_api_key_id"] == "key_7"


def test_of_several_deleted_rows_the_one_that_was_made_last_is_of_the_last_life() -> None:
    rows = at(GONE, 0), at(AGAIN._replace(status=DELETED), 5)
    for some in (rows, rows[::-1]):
        (row,) = made(listing(*some, on=day(7)))
        assert (row["openai_api_key_id"], row["status"]) == ("key_1", DELETED)


def test_a_deleted_row_replaces_nothing_that_a_list_had_before() -> None:
    other = GONE._replace(name=None, openai_api_key_id="key_9", team="maps")
    (row,) = made(listing(LIVE), listing(other, on=day(1)))
    assert states([row]) == [("maps", DELETED, False, "key_0", None, DAY)]
    assert row["team"] == "maps"


def test_a_file_keeps_no_token_that_the_gateway_lists_as_deleted() -> None:
    """It counted for ever: its key was taken to be the gateway's."""
    lists = listing(LIVE), listing(GONE, on=day(3))
    bare = TokenRow("tok", openai_api_key_id="key_0")
    of_file = (listing(bare, on=day(number), by=FILE) for number in range(6))
    assert states(made(*lists, *of_file)) == [("maps", DELETED, False, "key_0", None, day(2))]


def test_a_token_that_the_gateway_has_stays_whatever_a_file_says() -> None:
    (row,) = made(listing(LIVE, on=day(2)), listing(GONE, on=day(1), by=FILE))
    assert states([row]) == [("maps", "active", True, "key_0", None, None)]


def test_a_token_of_a_gateway_that_is_read_no_more_is_where_the_file_has_it() -> None:
    before = Listing(DAY, "token_metadata", [GONE], is_read_now=False)
    (row,) = made(before, listing(AGAIN, on=day(3), by=FILE))
    assert (row["status"], row["is_current"]) == ("active", True)


kinds = st.sets(st.sampled_from((LIVE, AGAIN, GONE, AGAIN._replace(status=DELETED))))
readings = st.lists(st.tuples(st.lists(kinds, max_size=4), st.booleans()), min_size=1, max_size=2)


@settings(max_examples=examples(50), deadline=None)
@given(readings)
def test_no_token_is_both_deleted_and_there(
    sources: list[tuple[list[set[TokenRow]], bool]],
) -> None:
    lists = [
        Listing(day(number), by, sorted(rows), is_partial=is_partial)
        for by, (some, is_partial) in zip(("token_metadata", FILE), sources, strict=False)
        for number, rows in enumerate(some)
    ]
    rows = made(*lists)
    assert not [row for row in rows if row["is_current"] == (row["counts_until_day"] is not None)]
    assert not [row for row in rows if row["is_current"] and row["status"] == DELETED]
    assert not [row for row in rows if row["last_seen_day"] < row["first_seen_day"]]
    newest = sources[0][0][-1:]
    if any(not row.is_deleted for rows in newest for row in rows):
        assert rows[-1]["is_current"]
