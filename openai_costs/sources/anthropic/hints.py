"""What a connection taught us, remembered beside its archive so that it is asked only once.

A hint, never evidence: losing the file costs a few requests.
"""

from datetime import date, timedelta

import msgspec
from upath import UPath

from openai_costs.sources.notes import read_note

ASK_AGAIN_AFTER = timedelta(days=30)
"""A key may be given more rights: a refusal is believed for a month."""


class Hints(msgspec.Struct, frozen=True):
    """Where the history of a connection begins.

    Args:
        floor: The first day there is an answer for; None where no floor was met.
        seen: The day on which everything before it was refused.
    """

    floor: date | None = None
    seen: date | None = None

    def is_believed(self, today: date) -> bool:
        """Return whether the floor was met lately; one from after today has a wrong date."""
        return self.seen is not None and timedelta(0) <= today - self.seen < ASK_AGAIN_AFTER


def recall(note: UPath) -> Hints:
    """Return what is remembered; nothing when there is no note or it cannot be read."""
    return read_note(note, Hints) or Hints()
