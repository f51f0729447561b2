"""How far this machine's clock is from the servers', and which instant is believed. Pure.

Every response carries the server's `Date`. A difference of more than an hour is clock skew: then
the earlier of the two instants is believed, so that no day settles too early and no day is read
that has not come. Not here: reading a clock (days.py), reading the header
(sources/http/transport.py).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from openai_costs.kernel.days import Clock

MOST_SKEW = timedelta(hours=1)
"""A smaller difference is the network, a cache or a clock that drifts: nothing depends on it."""

WITHOUT_SKEW = timedelta(0)
_DAY_HOURS = 48
"""From so many hours on, a difference is written in days."""


class ReadInstant(NamedTuple):
    """When something was read.

    Args:
        ours: By this machine's clock.
        server: By the server's; None where no response had a `Date`.
    """

    ours: datetime
    server: datetime | None

    @property
    def believed(self) -> datetime:
        """Ours, or the server's where that is more than an hour earlier."""
        if self.server is None or self.ours - self.server <= MOST_SKEW:
            return self.ours
        return self.server


@dataclass
class SkewAwareClock:
    """This machine's clock, compared with that of each server which answered.

    Called, it returns the instant that is believed now. Any provider that agrees with our clock to
    within an hour shows that it is right; only where all that answered are behind it, it is not.
    A gateway may run on this machine, so its clock shows nothing where a provider answered.

    Args:
        ours: Returns the time by this machine's clock.
        skews: How far our clock was ahead of each provider's server, by connection, at its newest
            response.
        gateway_skews: The same for gateways.
        is_reported: Whether the difference was written to the log of this run.
    """

    ours: Clock
    skews: dict[str, timedelta] = field(default_factory=dict)
    gateway_skews: dict[str, timedelta] = field(default_factory=dict)
    is_reported: bool = False

    def __call__(self) -> datetime:
        """Return the instant that is believed now."""
        ahead = self._ahead()
        return self.ours() - (ahead if ahead > MOST_SKEW else WITHOUT_SKEW)

    def compare(self, connection: str, server: datetime) -> None:
        """Take the `Date` of a provider's response that came now."""
        self.skews[connection] = self.ours() - server

    def compare_gateway(self, gateway: str, server: datetime) -> None:
        """Take the `Date` of a gateway's response that came now."""
        self.gateway_skews[gateway] = self.ours() - server

    def instant(self, name: str, ours: datetime) -> ReadInstant:
        """Return an instant of our clock as the server of a connection or gateway would have it."""
        skew = self.skews.get(name)
        if skew is None and (self.skews or self.gateway_skews):
            skew = max(self.gateway_skews.get(name, WITHOUT_SKEW), self._ahead())
        return ReadInstant(ours, None if skew is None else ours - skew)

    def _ahead(self) -> timedelta:
        """Return how far our clock is ahead of the servers that can tell."""
        return min((self.skews or self.gateway_skews).values(), default=WITHOUT_SKEW)

    def latest(self) -> datetime | None:
        """Return the latest instant that any clock gives now; None before any was compared."""
        if not self.skews:
            return None
        return self.ours() - min(WITHOUT_SKEW, *self.skews.values())

    def warning(self) -> str:
        """Return what a person has to know about the difference; empty where there is none."""
        compared = self.gateway_skews | self.skews
        strange = {name: skew for name, skew in compared.items() if abs(skew) > MOST_SKEW}
        if not strange:
            return ""
        name = max(strange, key=lambda one: abs(strange[one]))
        now, skew = self.ours(), strange[name]
        side = "ahead of" if skew > WITHOUT_SKEW else "behind"
        return (
            f"This machine's clock is {_length(abs(skew))} {side} the server of {name} "
            f"({now:%Y-%m-%d %H:%M} here, {now - skew:%Y-%m-%d %H:%M} UTC there). The earlier of "
            "the two counts: later days are not read, and no day settles before it. Set the clock "
            "right, then run openai-costs backfill."
        )

    def report(self) -> str:
        """Return the warning once in a run; empty the next time."""
        if self.is_reported:
            return ""
        self.is_reported = bool(self.warning())
        return self.warning()


def skew_aware(clock: Clock) -> SkewAwareClock:
    """Return a clock that is compared with the servers'; one that already is stays the same."""
    return clock if isinstance(clock, SkewAwareClock) else SkewAwareClock(clock)


def _length(time: timedelta) -> str:
    hours = round(time / timedelta(hours=1))
    return f"{hours} hours" if hours < _DAY_HOURS else f"{round(hours / 24):,} days"
