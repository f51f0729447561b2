"""What a connection taught us, remembered beside its archive so that it is asked only once.

A hint, never evidence: losing the file costs a few requests.
"""

from datetime import date, timedelta

import msgspec
from msgspec.structs import replace
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sources.notes import read_note
from openai_costs.sources.openai.costs.endpoints import LEDGER_GROUPINGS

ASK_AGAIN_AFTER = timedelta(days=30)
"""The vendor extends what it supports: a refusal is believed for a month."""


class Refusal(msgspec.Struct, frozen=True):
    """A grouping that was refused for a window, and when."""

    grouping: tuple[str, ...]
    first: date
    last: date
    seen: date


class Hints(msgspec.Struct, frozen=True):
    """The floor of the provider's history and the groupings it refused.

    Args:
        floor: The first day the provider still answers for; None when no floor was met.
        refusals: Groupings refused, by window.
        created: The day of the oldest thing the organization has; None when not known.
    """

    floor: date | None = None
    refusals: tuple[Refusal, ...] = ()
    created: date | None = None

    def with_floor(self, floor: date) -> "Hints":
        """Return what is known after a floor was met."""
        return replace(self, floor=floor)

    def with_created(self, created: date) -> "Hints":
        """Return what is known after the oldest thing was found."""
        return replace(self, created=created)

    def groupings(self, window: DayRange, today: date) -> tuple[tuple[str, ...], ...]:
        """Return the ledger groupings worth asking for a window, richest first."""
        hopeless = {
            refusal.grouping
            for refusal in self.refusals
            if refusal.first <= window.last
            and window.first <= refusal.last
            and _is_recent(refusal, today)
        }
        return tuple(g for g in LEDGER_GROUPINGS[:-1] if g not in hopeless) + LEDGER_GROUPINGS[-1:]

    def refused(
        self, window: DayRange, groupings: tuple[tuple[str, ...], ...], today: date
    ) -> "Hints":
        """Return what is known after these groupings were refused for a window."""
        new = tuple(Refusal(g, window.first, window.last, today) for g in groupings)
        kept = tuple(old for old in self.refusals if _is_recent(old, today))
        return replace(self, refusals=kept + new)


def _is_recent(refusal: Refusal, today: date) -> bool:
    """Return whether a refusal is still believed; one from after today has a wrong date."""
    return timedelta(0) <= today - refusal.seen < ASK_AGAIN_AFTER


def recall(note: UPath) -> Hints:
    """Return what is remembered; nothing when there is no note or it cannot be read."""
    return read_note(note, Hints) or Hints()
