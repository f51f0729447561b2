"""Kept reads of recorded pages, for the vendors that answer for a day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from upath import UPath

from openai_costs.storage.archive import DayRead, KeptRead

PAGES = Path(__file__).parents[1] / "pages"
DAY = date(2026, 11, 14)
READ_AT = datetime(2026, 11, 20, 6, tzinfo=UTC)


def recorded(endpoint: str, case: str, status: int = 200) -> bytes:
    """A recorded page."""
    (found,) = (PAGES / endpoint / case).glob(f"{status}.json*")
    return found.read_bytes()


def kept(
    provider: str,
    bodies: Mapping[str, bytes],
    *,
    day: date = DAY,
    absent: Mapping[str, str] | None = None,
) -> KeptRead:
    """A kept read of a day of the connection `one`."""
    asked = {name: (f"/{name}", list[tuple[str, str]](), list[str]()) for name in bodies}
    read = DayRead(provider, "one", "costs", day, READ_AT, asked, bodies, absent or {})
    return KeptRead(UPath("raw/a-day"), read.manifest(), dict(bodies))
