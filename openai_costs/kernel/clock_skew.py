"""How far this machine's clock is from the servers', and which instant is believed. Pure.

Every response carries the server's `Date`. A difference of more than an hour is clock skew: then
the earlier of the two instants is believed, so that no day settles too early and no day is read
that has not come. A whole list says what there is now, so its server's instant is believed, also
where ours is earlier. Not here: reading a clock (days.py), reading the header
(sources/http/transport.py).
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
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
        is_of_now: Whether it was a whole list of what there is now, and not a day.
    """

    ours: datetime
    server: datetime | None
    is_of_now: bool = False

    @property
    def believed(self) -> datetime:
        """Ours, or the server's where that is more than an hour earlier; of a list, or later."""
        if self.server is None:
            return self.ours
        ahead = self.ours - self.server
        is_wrong = ahead > MOST_SKEW or (self.is_of_now and -ahead > MOST_SKEW)
        return self.server if is_wrong else self.ours

    def has(self, day: date) -> bool:
        """Return whether a read of a day may be kept: it has come, and a list is of today."""
        is_late = self.ours < self.believed and day < self.believed.date()
        return day <= self.believed.date() and not is_late


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
        is_of_now: Whether whole lists are read: then it is not only never ahead, but also not
            behind where all servers agree that it is.
    """

    ours: Clock
    skews: dict[str, timedelta] = field(default_factory=dict)
    gateway_skews: dict[str, timedelta] = field(default_factory=dict)
    is_reported: bool = False
    is_of_now: bool = False

    def __call__(self) -> datetime:
        """Return the instant that is believed now."""
        ours = self.ours()
        return ReadInstant(ours, ours - self._ahead(), self.is_of_now).believed

    def of_now(self) -> "SkewAwareClock":
        """Return the same clock for whole lists; what one is compared with, the other knows."""
        return replace(self, is_of_now=True)

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
            own = self.gateway_skews.get(name, WITHOUT_SKEW)
            skew = self._ahead() if self.is_of_now else max(own, self._ahead())
        return ReadInstant(ours, None if skew is None else ours - skew, self.is_of_now)

    def _ahead(self) -> timedelta:
        """Return how far our clock is ahead of the servers that can tell."""
        skews = (self.skews or self.gateway_skews).values()
        if self.is_of_now:
            return min(skews, key=abs, default=WITHOUT_SKEW)
        return min(skews, default=WITHOUT_SKEW)

    def latest(self) -> datetime | None:
        """Return the latest instant that any clock gives now; None before any was compared."""
        if not self.skews:
            return None
        return self.ours() - min(WITHOUT_SKEW, *self.skews.values())

    def warning(self) -> str:
        """Return what a person has to know about the difference; empty where there is none."""
        compared = self.gateway_skews | self.skews
        strange = {name: skew for name, skew in compared.items() if abs(skew) > MOST_SKEW}
        is_right = self.is_of_now and abs(self._ahead()) <= MOST_SKEW
        if is_right or not strange:
            return ""
        name = max(strange, key=lambda one: abs(strange[one]))
        now, skew = self.ours(), strange[name]
        side = "ahead of" if skew > WITHOUT_SKEW else "behind"
        what_counts = (
            "The server's counts. Set the clock right."
            if self.is_of_now
            else "The earlier of the two counts: later days are not read, and no day settles "
            "before it. Set the clock right, then run openai-costs backfill."
        )
        return (
            f"This machine's clock is {_length(abs(skew))} {side} the server of {name} "
            f"({now:%Y-%m-%d %H:%M} here, {now - skew:%Y-%m-%d %H:%M} UTC there). {what_counts}"
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


def day_of_lists(clock: Clock) -> date:
    """Return the day that a whole list which is read now is of."""
    return skew_aware(clock).of_now()().date()


def _length(time: timedelta) -> str:
    hours = round(time / timedelta(hours=1))
    return f"{hours} hours" if hours < _DAY_HOURS else f"{round(hours / 24):,} days"
