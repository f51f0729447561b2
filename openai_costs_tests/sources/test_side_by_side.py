"""Sources that are read side by side: what they bring, in which order, and how far ahead."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from openai_costs.sources.provider import Tell
from openai_costs.sources.side_by_side import (
    MOST_AHEAD,
    MOST_LARGE,
    SMALL,
    Reading,
    side_by_side,
)
from openai_costs.storage.archive import DayRead

FIRST = date(2026, 3, 1)
AT = datetime(2026, 3, 9, tzinfo=UTC)
SECONDS = 20.0


def a_read(name: str, number: int, size: int = 1) -> DayRead:
    body = {"ledger": b"x" * size}
    return DayRead("openai", name, "costs", FIRST + timedelta(number), AT, {}, body)


def reading(name: str, count: int, step: Callable[[int], object] = id) -> Reading:
    """A source of some reads, which does something before each of them."""

    def read(tell: Tell) -> Iterator[DayRead]:
        for number in range(count):
            step(number)
            tell(f"{name} {number}")
            yield a_read(name, number)

    return read


def taken(readings: Sequence[Reading], tell: Tell, most_ahead: int | None) -> list[str]:
    """Which reads come, in their order."""
    with side_by_side(readings, tell, most_ahead) as found:
        return [f"{one.connection} {(one.day - FIRST).days}" for reads in found for one in reads]


def test_all_are_read_at_the_same_time_and_handed_on_one_after_the_other() -> None:
    together = threading.Barrier(3, timeout=SECONDS)
    readings = [reading(name, 4, lambda _: together.wait()) for name in "abc"]
    told: list[str] = []
    found = taken(readings, told.append, MOST_AHEAD)
    assert found == [f"{name} {number}" for name in "abc" for number in range(4)]
    assert sorted(told) == found


def test_a_slow_one_holds_no_other_up() -> None:
    others_are_done = threading.Event()
    last = reading("b", 9, lambda number: number == 8 and others_are_done.set())
    slow = reading("a", 1, lambda _: others_are_done.wait(SECONDS))
    assert len(taken([slow, last], str, MOST_AHEAD)) == 10
    assert others_are_done.is_set()


def test_lines_come_in_the_thread_that_takes_the_reads_while_it_waits() -> None:
    where, is_told = set[threading.Thread](), threading.Event()

    def tell(line: str) -> None:
        where.add(threading.current_thread())
        if line == "b 0":
            is_told.set()

    readings = [reading("a", 1, lambda _: is_told.wait(SECONDS)), reading("b", 1)]
    taken(readings, tell, MOST_AHEAD)
    assert is_told.is_set()
    assert where == {threading.current_thread()}


def failing(name: str, after: int) -> Reading:
    def read(tell: Tell) -> Iterator[DayRead]:
        yield from reading(name, after)(tell)
        raise ZeroDivisionError(name)

    return read


@pytest.mark.parametrize("most_ahead", [None, 0, MOST_AHEAD])
def test_what_ends_a_source_is_raised_after_its_reads_and_ends_no_other(
    most_ahead: int | None,
) -> None:
    with side_by_side([failing("a", 2), reading("b", 2)], str, most_ahead) as (a, b):
        its = iter(a)
        assert [next(its).day, next(its).day] == [FIRST, FIRST + timedelta(1)]
        with pytest.raises(ZeroDivisionError, match="a"):
            next(its)
        assert len(list(b)) == 2


def test_a_source_goes_on_when_what_it_brought_is_done_with_where_nothing_is_read_ahead() -> None:
    kept: list[date] = []

    def read(_tell: Tell) -> Iterator[DayRead]:
        for number in range(3):
            assert len(kept) == number
            yield a_read("a", number)
        assert len(kept) == 3

    with side_by_side([read, reading("b", 1)], str, 0) as (a, b):
        for one in a:
            time.sleep(0.02)  # it would go on by then
            kept.append(one.day)
        assert len(list(b)) == 1


def test_bodies_that_wait_for_their_turn_are_bounded() -> None:
    brought: list[int] = []

    def large(_tell: Tell) -> Iterator[DayRead]:
        for number in range(20):
            brought.append(number)
            yield a_read("b", number, size=100)

    def slow(_tell: Tell) -> Iterator[DayRead]:
        time.sleep(0.2)
        assert len(brought) == 3  # 250 bytes are its share; the third is one too many
        yield a_read("a", 0)

    with side_by_side([slow, large], str, 500) as (a, b):
        assert len(list(a)) == 1
        assert [one.day for one in b] == [FIRST + timedelta(number) for number in range(20)]


def test_many_small_ones_are_all_under_way_once_it_is_known_that_they_are_small() -> None:
    together = threading.Barrier(12, timeout=SECONDS)
    readings = [reading(str(n), 2, lambda number: number and together.wait()) for n in range(12)]
    assert len(taken(readings, str, MOST_AHEAD)) == 24


def test_few_that_may_be_large_are_under_way() -> None:
    guard, under_way, largest = threading.Lock(), 0, 0

    def large(_tell: Tell) -> Iterator[DayRead]:
        nonlocal under_way, largest
        with guard:
            under_way += 1
            largest = max(largest, under_way)
        time.sleep(0.02)
        yield a_read("a", 0, size=SMALL)
        with guard:
            under_way -= 1

    assert len(taken([large] * 8, str, MOST_AHEAD)) == 8
    assert 1 < largest <= MOST_LARGE


def test_all_lists_are_under_way_at_once() -> None:
    together = threading.Barrier(8, timeout=SECONDS)
    readings = [reading(str(n), 1, lambda _: together.wait()) for n in range(8)]
    assert len(taken(readings, str, 0)) == 8


def endless(close: Callable[[], object]) -> Reading:
    """A source that goes on until it is left."""

    def read(tell: Tell) -> Iterator[DayRead]:
        try:
            yield from reading("a", 10_000)(tell)
        finally:
            close()

    return read


def test_a_source_that_is_left_reads_no_further() -> None:
    is_closed = threading.Event()
    with side_by_side([endless(is_closed.set), reading("b", 1)], str, 0) as (a, b):
        its = iter(a)
        next(its)
        its.close()  # type: ignore[attr-defined]  # as when a read is refused
        assert is_closed.wait(SECONDS)
        assert len(list(b)) == 1


def test_an_end_in_the_middle_ends_all() -> None:
    closed = threading.Semaphore(0)

    def stopped() -> None:
        with side_by_side([endless(closed.release)] * 3, str, 0) as (first, *_):
            for _ in first:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert all(closed.acquire(timeout=SECONDS) for _ in range(3))


def test_one_that_is_alone_is_read_in_the_thread_that_takes_its_reads() -> None:
    where = set[threading.Thread]()
    alone = reading("a", 2, lambda _: where.add(threading.current_thread()))
    assert len(taken([alone], str, MOST_AHEAD)) == 2
    assert where == {threading.current_thread()}
    assert taken([], str, MOST_AHEAD) == []
