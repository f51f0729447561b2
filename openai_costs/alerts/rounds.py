"""A round: look whether data is late and mutes begin or end, then send what is due.

What the sensors do every few minutes, and `openai-costs deliver` once: for cron, without Dagster.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import polars as pl
from upath import UPath

from openai_costs.alerts.deliver import Delivered, deliver
from openai_costs.alerts.judged import judged_today
from openai_costs.alerts.mutes import with_mutes
from openai_costs.alerts.record import Look, ask, look_again, sound
from openai_costs.alerts.registry import DATA, WATCHED
from openai_costs.alerts.rows import Delivery, rows
from openai_costs.days import Clock, naive
from openai_costs.findings import Facts
from openai_costs.lake import Lake
from openai_costs.sections import Alerts, Route
from openai_costs.settings import Settings
from openai_costs.storage import place
from openai_costs.tables.mart.deliveries import Deliveries


class Told(NamedTuple):
    """What a route was told.

    Args:
        route: Its name.
        done: How many messages were sent, and not.
        trouble: A sentence about what was not taken; empty when all was.
    """

    route: str
    done: Delivered
    trouble: str


def look(
    lake: Lake, home: UPath, facts: Facts, red: Callable[[], pl.DataFrame] | None = None
) -> int:
    """Look at the data and the mutes, and return how much of it is late, undelivered or red.

    Args:
        lake: Where tables are.
        home: Where the mutes of the command line are.
        facts: The settings, and the instant.
        red: Returns what is red in Dagster's record; None where nobody looks at it.
    """

    def now() -> Look:
        found, judged = ask(lake, facts, DATA)
        if red is not None:
            found = found.vstack(sound(red()))
            judged |= judged_today(WATCHED, facts.today)
        return Look(found, judged, with_mutes(facts.settings.alerts, home))

    return look_again(lake, facts.today, now).found.height


def headless(settings: Settings, clock: Clock) -> Iterator[Told]:
    """Look, then send all that is due, route by route; yield what became of each."""
    home = place(settings.home)
    lake = Lake(home)
    look(lake, home, Facts(settings, clock()))
    for route in settings.alerts.routes:
        began = naive(clock())
        done = _all_of(lake, settings.alerts.model_copy(update={"routes": (route,)}), clock)
        yield Told(route.name, done, _trouble(lake, route, began))


def _all_of(lake: Lake, alone: Alerts, clock: Clock) -> Delivered:
    """Send until nothing is due: a call takes what fits into its time, a change per finding."""
    whole = Delivered()
    while True:
        done = deliver(lake, alone, clock)
        whole += done
        if not done.sent + done.failed:
            return whole


def _trouble(lake: Lake, route: Route, began: datetime) -> str:
    """Return what is wrong with a route: what waits for it, or was given up since an instant."""
    mine = rows(Delivery, lake.read(Deliveries).filter(channel=route.name))
    waiting = [one for one in mine if one.status == "waiting"]
    lost = [
        one
        for one in mine
        if one.status in ("failed", "unclear") and one.tried_at and one.tried_at >= began
    ]
    if not waiting + lost:
        return ""
    newest = max(waiting + lost, key=lambda one: one.tried_at or began)
    then = [f"{len(waiting)} wait for another try"] if waiting else []
    then += [f"{len(lost)} are given up"] if lost else []
    return f"Route {route.name} did not take its messages ({', '.join(then)}): {newest.said}"
