"""Which day a kept list is of: a list says what there is now, so its server knows better than us.

Version 0.1 kept lists of a clock that was behind under that clock's day, and everything in them was
first seen on it. Pure.
"""

from dataclasses import replace

import msgspec

from openai_costs.kernel.clock_skew import ReadInstant
from openai_costs.storage.archive import KeptRead


def as_dated(read: KeptRead) -> KeptRead:
    """Return a kept list as of its server's instant, where our clock was more than an hour behind.

    One whose server gave no `Date` stays as it is.
    """
    kept = read.manifest
    at = ReadInstant(kept.clock_at or kept.read_at, kept.server_at, is_of_now=True)
    if at.believed <= at.ours:
        return read
    dated = msgspec.structs.replace(kept, read_at=at.believed, day=at.believed.date())
    return replace(read, manifest=dated)
