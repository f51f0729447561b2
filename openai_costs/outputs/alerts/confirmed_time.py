"""The clock of alerts: this machine's, as far as a server does not contradict it.

A message cannot be taken back, and a finding is remembered by its days. So where the time since the
newest read is not that of a usual day, because the machine was off, the reads fail, or the clock is
wrong, the hosts that get the messages are asked which of these it is. Providers are not: they are
asked what they document, by runs that read.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from openai_costs.kernel.clock_skew import MOST_SKEW, SkewAwareClock, skew_aware
from openai_costs.kernel.days import Clock, naive
from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Alerts
from openai_costs.settings.addresses import host_of
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import secret
from openai_costs.sources.http.server_date import asked_date
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_control import SpendControl

USUAL = timedelta(hours=30)
"""After so long the refresh of the next day is over."""

MOST_ASKED = 3
"""Hosts: a tick of a sensor has a minute."""

AskDate = Callable[[str], datetime | None]


def confirmed(
    lake: Lake, settings: Settings, clock: Clock, ask: AskDate = asked_date
) -> SkewAwareClock:
    """Return the clock, compared with a server's where the newest read does not confirm it.

    Without any server that answers, our clock is all there is.

    Args:
        lake: Where the days are that were read.
        settings: The routes whose hosts may be asked.
        clock: Returns the time by this machine's clock.
        ask: Returns the `Date` of the host of an address; None where there is none.
    """
    known = skew_aware(clock)
    if known.skews:  # providers were read in this run
        return known.of_now()
    compared = SkewAwareClock(known.ours, is_of_now=True)
    newest = newest_read_at(lake)
    if newest is None or -MOST_SKEW <= naive(compared.ours()) - naive(newest) <= USUAL:
        return compared
    _compare(compared, _of_routes(settings.alerts), ask)
    return compared


def newest_read_at(lake: Lake) -> datetime | None:
    """Return when costs were last read, by the instant that was believed; None if never."""
    return max(lake.reads(SpendControl).values(), default=None)


def _compare(compared: SkewAwareClock, addresses: Iterable[str], ask: AskDate) -> None:
    """Compare a clock with the hosts of some addresses, until one agrees."""
    hosts = {host_of(one): one for one in addresses}
    for host, address in [*hosts.items()][:MOST_ASKED]:
        if (date := ask(address)) is not None:
            compared.compare(host, date)
            if not compared.warning():
                return


def _of_routes(alerts: Alerts) -> Iterator[str]:
    for route in alerts.routes:
        try:
            if route.url_place:
                yield secret(route.url_place, "").get_secret_value()
        except SettingsError:  # the delivery says so
            continue
