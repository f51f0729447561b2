"""The sample organisation behind an address: `sample://organisation?seed=...&days=...&today=...`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from openai_costs.sample.api import create_app
from openai_costs.sample.in_process import InProcessTransport
from openai_costs.sample.organisation import sample_organisation

if TYPE_CHECKING:
    from openai_costs.days import Clock


def sample_transport(address: str, clock: Clock) -> InProcessTransport:
    """Return a transport that answers as the organisation's API does, at the clock's time."""
    said = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
    organisation = sample_organisation(
        date.fromisoformat(said["today"]), seed=said["seed"], days=int(said["days"])
    )
    return InProcessTransport(create_app(organisation, now=clock))
