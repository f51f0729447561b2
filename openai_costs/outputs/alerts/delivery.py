"""Sends the delivery queue: each change once per channel, whatever fails or runs beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import get_args

from pydantic import SecretStr

from openai_costs.kernel.days import Clock, naive
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts import channels as channel_files
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed, Send
from openai_costs.outputs.alerts.delivery_log import DeliveryLog
from openai_costs.outputs.alerts.delivery_queue import (
    QueuedChange,
    QueuedMessage,
    delivery_queue,
)
from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import Addresses, Message, clean, message, repeated
from openai_costs.outputs.alerts.rows import Change, Finding, rows
from openai_costs.outputs.alerts.rules import find_rule
from openai_costs.settings import Alerts, ChannelKind, Route
from openai_costs.settings.secrets import SecretPlace
from openai_costs.settings.secrets_in_use import secret
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

CHANNELS: Mapping[ChannelKind, Send] = {
    kind: import_module(f"{channel_files.__name__}.{kind}").send for kind in get_args(ChannelKind)
}
"""The function of each file of channels/ that has the name of a kind."""

LONGEST = timedelta(seconds=20)
"""How long one call goes on to another message: Dagster ends a sensor's tick after 60 s, and the
last message may take half of that."""

Secret = Callable[[SecretPlace, str], SecretStr]


@dataclass
class DeliveryCounts:
    """What one call did: messages sent, and not."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        parts = [f"{number} {name}" for name, number in vars(self).items() if number]
        return ", ".join(parts) or "nothing to send"

    def __add__(self, more: "DeliveryCounts") -> "DeliveryCounts":
        both = zip(vars(self).values(), vars(more).values(), strict=True)
        return DeliveryCounts(*(one + other for one, other in both))


def deliver(
    lake: Lake,
    alerts: Alerts,
    clock: Clock,
    channels: Mapping[ChannelKind, Send] = CHANNELS,
    look_up: Secret = secret,
) -> DeliveryCounts:
    """Send every queued change; several processes at once send each only once.

    Args:
        lake: Where findings, changes and deliveries are.
        alerts: The routes.
        clock: Returns the current time.
        channels: The function that sends to each kind of channel.
        look_up: Returns what is in the place of a secret, given who asks.
    """
    if not alerts.routes:
        return DeliveryCounts()
    with lake.alone(Deliveries):
        at = Addresses(alerts.page_url, alerts.dagster_url)
        sender = Sender(DeliveryLog(lake), partial(_message, at=at), clock, channels, look_up)
        queue = delivery_queue(
            rows(Finding, lake.read(Findings)),
            rows(Change, lake.read(FindingChanges)),
            sender.log.rows,
            alerts.routes,
            naive(clock()),
        )
        sender.log.skipped(queue.skipped)
        sender.counts.skipped = len(queue.skipped)
        sender.send_all(list(queue.messages))
    return sender.counts


@dataclass
class Sender:
    """Sends messages, and logs the outcome of each; for a caller that holds the delivery log.

    Args:
        log: The delivery log.
        write: Returns the message about what is queued.
        clock: Returns the current time.
        channels: The function that sends to each kind of channel.
        look_up: Returns what is in the place of a secret, given who asks.
    """

    log: DeliveryLog
    write: Callable[[QueuedMessage], Message]
    clock: Clock
    channels: Mapping[ChannelKind, Send]
    look_up: Secret
    counts: DeliveryCounts = field(default_factory=DeliveryCounts)

    def send_all(self, waiting: list[QueuedMessage]) -> None:
        """Send messages until the time is up; the next call sends the rest."""
        began = self.clock()
        while waiting and self.clock() - began < LONGEST:
            queued = self.log.sending(waiting.pop(0), naive(self.clock()))
            try:
                remark = self._send(queued)
            except DeliveryFailed as failure:
                waiting = self._failed(queued, waiting, failure)
            else:
                self.log.sent(queued, naive(self.clock()), remark)
                self.counts.sent += 1

    def _send(self, queued: QueuedMessage) -> str:
        """Hand a message to its channel.

        Raises:
            DeliveryFailed: It was not delivered, for whatever reason.
        """
        try:
            address = _address(queued.route, self.clock(), self.look_up)
        except SettingsError as missing:
            raise DeliveryFailed(str(missing), is_retryable=True) from None
        try:
            made = self.write(queued)
            if any(one.row.is_possibly_repeated for one in queued.changes):
                made = repeated(made)
            made = clean(made, allow_email=queued.route.allow_email)
            return self.channels[queued.route.channel](made, address)
        except DeliveryFailed:
            raise
        except Exception as broken:  # noqa: BLE001 - one channel's mistake must not stop the others
            reason = (
                f"the channel failed with {type(broken).__name__}"  # its text may hold a secret
            )
            raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True) from None

    def _failed(
        self, queued: QueuedMessage, waiting: list[QueuedMessage], failure: DeliveryFailed
    ) -> list[QueuedMessage]:
        """Log a failure, and return what is still worth sending: not to the same channel."""
        now = naive(self.clock())
        self.log.failed(queued, now, failure)
        if not failure.is_retryable:
            self.counts.failed += 1
            return waiting
        self.counts.waiting += 1
        behind = (one for one in waiting if one.route == queued.route)
        self.log.postponed(behind, now, failure)
        return [one for one in waiting if one.route != queued.route]


def _message(queued: QueuedMessage, at: Addresses) -> Message:
    messages = [
        message(one.finding, one.change, find_rule(one.finding.rule), at=at)
        for one in queued.changes
        if isinstance(one, QueuedChange)
    ]
    return digest(queued.route.name, messages) if queued.route.digest else messages[0]


def _address(route: Route, now: datetime, look_up: Secret) -> Address:
    asks = f"Route {route.name!r} of [alerts]"
    nothing = SecretStr("")
    url = look_up(route.url_place, asks) if route.url_place else nothing
    secrets = {name: look_up(place, asks) for name, place in route.secret_places.items()}
    return Address(
        route=route.name,
        now=now,
        url=url,
        secret=secrets.pop("", nothing),
        sender=route.sender or "",
        to=route.to,
        headers={name: SecretStr(value) for name, value in (route.headers or {}).items()} | secrets,
        body_template=route.body_template or "",
    )
