"""Sends what is due: once per change and channel, whatever dies, waits or runs beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from openai_costs.kernel.days import Clock, naive
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.channels import apprise, email, pagerduty, slack, webhook
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed, Send
from openai_costs.outputs.alerts.delivery_log import Ledger
from openai_costs.outputs.alerts.delivery_queue import Parcel, due
from openai_costs.outputs.alerts.message import Message, clean, digest, message, repeated
from openai_costs.outputs.alerts.rows import Change, Finding, rows
from openai_costs.settings import Alerts, ChannelKind, Route
from openai_costs.settings.load import secret
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

CHANNELS: Mapping[ChannelKind, Send] = {
    "slack": slack.send,
    "email": email.send,
    "webhook": webhook.send,
    "pagerduty": pagerduty.send,
    "apprise": apprise.send,
}

BUDGET = timedelta(seconds=20)
"""How long one call takes up further messages: Dagster ends a sensor's tick after 60 s, and the
last message may take half of that."""

Secret = Callable[[str, str], SecretStr]


@dataclass
class Delivered:
    """What one call did: messages sent, and not."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        parts = [f"{number} {name}" for name, number in vars(self).items() if number]
        return ", ".join(parts) or "nothing due"

    def __add__(self, more: "Delivered") -> "Delivered":
        both = zip(vars(self).values(), vars(more).values(), strict=True)
        return Delivered(*(one + other for one, other in both))


def deliver(
    lake: Lake,
    alerts: Alerts,
    clock: Clock,
    channels: Mapping[ChannelKind, Send] = CHANNELS,
    look_up: Secret = secret,
) -> Delivered:
    """Send every change that is due; several processes at once send each only once.

    Args:
        lake: Where findings, changes and deliveries are.
        alerts: The routes.
        clock: Tells the time.
        channels: How each kind of channel is reached.
        look_up: Returns what a variable holds, given who asks.
    """
    if not alerts.routes:
        return Delivered()
    with lake.alone(Deliveries):
        tour = _Tour(Ledger(lake), alerts, clock, channels, look_up)
        todo = due(
            rows(Finding, lake.read(Findings)),
            rows(Change, lake.read(FindingChanges)),
            tour.ledger.rows,
            alerts.routes,
            naive(clock()),
        )
        tour.ledger.skip(todo.skipped)
        tour.done.skipped = len(todo.skipped)
        tour.go(todo.parcels)
    return tour.done


@dataclass
class _Tour:
    """One way round with what is due."""

    ledger: Ledger
    alerts: Alerts
    clock: Clock
    channels: Mapping[ChannelKind, Send]
    look_up: Secret
    done: Delivered = field(default_factory=Delivered)

    def go(self, parcels: Sequence[Parcel]) -> None:
        """Send parcels until the time is up; the next call goes on."""
        began, waiting = self.clock(), list(parcels)
        while waiting and self.clock() - began < BUDGET:
            parcel = self.ledger.intend(waiting.pop(0), naive(self.clock()))
            try:
                remark = _send(parcel, self.alerts, self.clock(), self.channels, self.look_up)
            except DeliveryFailed as failure:
                waiting = self._not_taken(parcel, waiting, failure)
            else:
                self.ledger.sent(parcel, naive(self.clock()), remark)
                self.done.sent += 1

    def _not_taken(
        self, parcel: Parcel, waiting: list[Parcel], failure: DeliveryFailed
    ) -> list[Parcel]:
        """Record a failure, and return what is still worth sending: not to the same channel."""
        now = naive(self.clock())
        self.ledger.refused(parcel, now, failure)
        if not failure.is_retryable:
            self.done.failed += 1
            return waiting
        self.done.waiting += 1
        self.ledger.put_off((one for one in waiting if one.route == parcel.route), now, failure)
        return [one for one in waiting if one.route != parcel.route]


def _send(
    parcel: Parcel,
    alerts: Alerts,
    now: datetime,
    channels: Mapping[ChannelKind, Send],
    look_up: Secret,
) -> str:
    """Hand a parcel to its channel.

    Raises:
        DeliveryFailed: It was not taken, for whatever reason.
    """
    try:
        address = _address(parcel.route, now, look_up)
    except SettingsError as missing:
        raise DeliveryFailed(str(missing), is_retryable=True) from None
    try:
        return channels[parcel.route.channel](_letter(parcel, alerts.dagster_url), address)
    except DeliveryFailed:
        raise
    except Exception as broken:  # noqa: BLE001 - one channel's mistake must not silence the others
        said = f"the channel failed with {type(broken).__name__}"  # its words may hold a secret
        raise DeliveryFailed(said, is_retryable=True, may_have_arrived=True) from None


def _letter(parcel: Parcel, dagster_url: str | None) -> Message:
    items = [message(item.finding, item.change, dagster_url=dagster_url) for item in parcel.items]
    made = digest(parcel.route.name, items) if parcel.route.digest else items[0]
    if any(item.row.is_possibly_repeated for item in parcel.items):
        made = repeated(made)
    return clean(made, allow_email=parcel.route.allow_email)


def _address(route: Route, now: datetime, look_up: Secret) -> Address:
    asks = f"Route {route.name!r} of [alerts]"
    nothing = SecretStr("")
    return Address(
        route=route.name,
        now=now,
        url=look_up(route.url_env, asks) if route.url_env else nothing,
        secret=look_up(route.secret_env, asks) if route.secret_env else nothing,
        sender=route.sender or "",
        to=route.to,
    )
