"""The sample organisation behind an address: `sample://organisation?seed=...&days=...&today=...`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from openai_costs.sample.api import create_app
from openai_costs.sample.in_process import InProcessTransport
from openai_costs.sample.organisation import Organisation, sample_organisation
from openai_costs.settings import SAMPLE_SCHEME

if TYPE_CHECKING:
    from openai_costs.days import Clock


def sample_address(*, seed: int, days: int, today: date, rows_per_day: int = 0) -> str:
    """Return the base_url of a sample organisation."""
    said = f"seed={seed}&days={days}&today={today}&rows_per_day={rows_per_day}"
    return f"{SAMPLE_SCHEME}organisation?{said}"


def sample_at(address: str) -> Organisation:
    """Return the organisation an address speaks of.

    Raises:
        ValueError: The address is not complete, or asks for what there is not.
    """
    said = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
    return sample_organisation(
        date.fromisoformat(said.get("today", "")),
        seed=said.get("seed", "7"),
        days=int(said.get("days", "120")),
        rows_per_day=int(said.get("rows_per_day", "0")),
    )


def sample_transport(address: str, clock: Clock) -> InProcessTransport:
    """Return a transport that answers as the organisation's API does, at the clock's time."""
    return InProcessTransport(create_app(sample_at(address), now=clock))
