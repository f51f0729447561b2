"""What `openai-costs deliver` does: evaluate, record and send once, without Dagster's daemon."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from openai_costs.kernel.days import Clock, naive
from openai_costs.outputs.alerts.delivery import DeliveryCounts, deliver
from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.outputs.alerts.mutes import with_mutes
from openai_costs.outputs.alerts.record import record
from openai_costs.outputs.alerts.rows import Delivery, rows
from openai_costs.outputs.alerts.rules import DATA_QUESTIONS
from openai_costs.questions.rules import Facts
from openai_costs.settings import Alerts, Route
from openai_costs.settings.load import Settings
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.findings import Findings


class RouteResult(NamedTuple):
    """What became of a route's messages.

    Args:
        route: Its name.
        counts: How many messages were sent, and not.
        trouble: A sentence about messages that were not delivered; empty when all were.
    """

    route: str
    counts: DeliveryCounts
    trouble: str


def deliver_once(settings: Settings, clock: Clock) -> Iterator[RouteResult]:
    """Evaluate the rules about data, record the changes, then send the queue of each route.

    Args:
        settings: The routes, and whose home.
        clock: The clock of alerts (confirmed_time.py).
    """
    home = place(settings.home)
    refuse_unwritable(home)  # a message that cannot be noted would be sent again
    lake, facts = Lake(home), Facts(settings, clock())
    with lake.alone(Findings):
        evaluation = evaluate(lake, facts, DATA_QUESTIONS)
        record(lake, evaluation, with_mutes(settings.alerts, home), facts.today)
    for route in settings.alerts.routes:
        began = naive(clock())
        alone = settings.alerts.model_copy(update={"routes": (route,)})
        counts = _deliver_all(lake, alone, clock)
        yield RouteResult(route.name, counts, _trouble(lake, route, began))


def _deliver_all(lake: Lake, alone: Alerts, clock: Clock) -> DeliveryCounts:
    """Deliver until the queue is empty: one call sends a change per finding, for some seconds."""
    whole = DeliveryCounts()
    while True:
        counts = deliver(lake, alone, clock)
        whole += counts
        if not counts.sent + counts.failed:
            return whole


def _trouble(lake: Lake, route: Route, began: datetime) -> str:
    """Return what a route did not deliver: what waits for it, or was given up since an instant."""
    mine = rows(Delivery, lake.read(Deliveries).filter(channel=route.name))
    waiting = [one for one in mine if one.status == "waiting"]
    given_up = [
        one
        for one in mine
        if one.status in ("failed", "unclear") and one.tried_at and one.tried_at >= began
    ]
    if not waiting + given_up:
        return ""
    newest = max(waiting + given_up, key=lambda one: one.tried_at or began)
    parts = [f"{len(waiting)} waiting for another attempt"] if waiting else []
    parts += [f"{len(given_up)} given up"] if given_up else []
    return f"Route {route.name} did not deliver its messages ({', '.join(parts)}): {newest.said}"
