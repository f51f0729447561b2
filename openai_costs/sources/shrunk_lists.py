"""Lists of what there is now that lost more than half: more likely broken than true. Pure.

What such a list lacks is not gone before a list of another day has as little. Not here: what a list
holds (organization/, gateway/).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

FEW = 2
"""That a single thing is gone is no sign of anything, even when there was no other."""


class Loss(NamedTuple):
    """How many things a list had before, and how many it has."""

    had: int
    has: int


class OfDay(Protocol):
    """A list that was read on a UTC day."""

    @property
    def day(self) -> date:
        """The day."""
        ...


L = TypeVar("L", bound=OfDay)


def losses(
    lists: Sequence[L], sizes: Callable[[L, L], tuple[int, int]], *, is_never_empty: bool = False
) -> Iterator[Loss | None]:
    """Yield what each list lost, and None where at least half is left.

    Each is compared with the one before it and with the newest of an earlier day, so that looking
    again on the same day hides nothing.

    Args:
        lists: The readings of a list, oldest first.
        sizes: Returns how many things an earlier and a later one have, in what both could read.
        is_never_empty: Whether there is always something: each is compared also with the newest
            that has any, so that an empty list confirms nothing.
    """
    before, of_earlier_day, filled = list[L](), list[L](), list[L]()  # none or one each
    for one in lists:
        if before and before[0].day < one.day:
            of_earlier_day = before
        earlier = [*before, *of_earlier_day, *(filled if is_never_empty else ())]
        pairs = [Loss(*sizes(other, one)) for other in earlier]
        worst = max(pairs, key=lambda pair: pair.had - pair.has, default=Loss(0, 0))
        is_loss = 2 * worst.has < worst.had and worst.had - worst.has >= FEW
        yield worst if is_loss else None
        before, filled = [one], [one] if any(sizes(one, one)) else filled
