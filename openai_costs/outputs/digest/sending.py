"""Sends the weekly digest: once a week and route, logged before it leaves, again where it failed.

Whoever comes first sends it: the schedule, the sensor that sends what failed, a command.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from openai_costs.kernel.days import Clock, naive
from openai_costs.outputs.alerts.channels.channel import Send
from openai_costs.outputs.alerts.delivery import (
    CHANNELS,
    DeliveryCounts,
    Secret,
    Sender,
)
from openai_costs.outputs.alerts.delivery_log import DeliveryLog
from openai_costs.outputs.alerts.delivery_queue import QueuedMessage
from openai_costs.outputs.alerts.message import Message
from openai_costs.outputs.alerts.rows import Delivery
from openai_costs.outputs.digest.due import due, waiting, week_of
from openai_costs.outputs.digest.weekly import weekly_message
from openai_costs.outputs.publish.publication import Publication, publication_of
from openai_costs.outputs.report.cost_explorer import read_page
from openai_costs.outputs.report.page_model import PageModel
from openai_costs.settings import Alerts, ChannelKind
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import secret
from openai_costs.tables.mart.deliveries import Deliveries

Chosen = Callable[[Alerts, Iterable[Delivery], datetime], list[QueuedMessage]]
"""Which digests are sent: `due` ones, or only those that are `waiting` for another attempt."""


class Outlets(NamedTuple):
    """How messages get out: the function of each kind of channel, and who looks up a secret."""

    channels: Mapping[ChannelKind, Send] = CHANNELS
    look_up: Secret = secret


OUTLETS = Outlets()


def send_weekly(
    settings: Settings,
    clock: Clock,
    chosen: Chosen = due,
    outlets: Outlets = OUTLETS,
) -> DeliveryCounts:
    """Send the weekly digest where it is due; nothing before any day was read.

    Args:
        settings: The home, the routes, and when the digest is sent.
        clock: Returns the current time.
        chosen: Which digests are sent.
        outlets: How messages get out.
    """
    alerts, publication = settings.alerts, publication_of(settings)
    if alerts.weekly is None:
        return DeliveryCounts()
    lake, now = publication.lake, naive(clock())
    with lake.alone(Deliveries):
        log = DeliveryLog(lake)
        queue = chosen(alerts, log.rows, now)
        page = page_of(publication, clock()) if queue else None
        if page is None:
            return DeliveryCounts()
        week = week_of(alerts.weekly, now)

        def write(queued: QueuedMessage) -> Message:
            return weekly_message(page, week, queued.route.name, alerts.page_url)

        sender = Sender(log, write, clock, *outlets)
        sender.send_all(queue)
    return sender.counts


def resend(settings: Settings, clock: Clock) -> DeliveryCounts:
    """Send the digests again that failed, for the sensor that sends findings."""
    return send_weekly(settings, clock, waiting)


def page_of(publication: Publication, now: datetime) -> PageModel | None:
    """Return what a page of now shows; None before any day was read."""
    page = read_page(publication, now)
    return page if page.first.month.span else None
