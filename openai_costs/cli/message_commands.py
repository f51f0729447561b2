"""The commands that send messages: pending alerts, and the weekly digest."""

from __future__ import annotations

import sys
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from openai_costs.cli.home_settings import Home, writable
from openai_costs.cli.terminal import say
from openai_costs.kernel.days import naive, utc_now
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_costs.kernel.days import Clock
    from openai_costs.outputs.alerts.rows import Delivery
    from openai_costs.settings.load import Settings

messages = typer.Typer()
NO_WEEKLY = (
    "No route receives the weekly digest, so nothing was sent. docs/alerts.md#weekly-digest says "
    "how to name one."
)


@messages.command()
def deliver(home: Home = None) -> None:
    """Send pending alerts once and check for late data (for cron)."""
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415 - a command loads its own
    from openai_costs.outputs.alerts.confirmed_time import confirmed  # noqa: PLC0415
    from openai_costs.outputs.alerts.cron import deliver_once  # noqa: PLC0415
    from openai_costs.outputs.digest.sending import send_weekly  # noqa: PLC0415
    from openai_costs.storage.lake import Lake  # noqa: PLC0415

    settings, troubles = writable(home), []
    folder = place(settings.home)
    refuse_empty(folder, "findings")
    clock = confirmed(Lake(folder), settings, utc_now)
    if warning := clock.report():
        say(warning, err=True)
    if settings.alerts.weekly:
        try:
            say(f"weekly digest: {send_weekly(settings, clock)}")
        except OpenAICostsError as why:  # alerts are sent also where no page can be had
            troubles.append(f"weekly digest: {why}")
    for result in deliver_once(settings, clock):
        say(f"{result.route}: {result.counts}")
        troubles += [result.trouble] if result.trouble else []
    if not settings.alerts.routes:
        say("No route, so no message was sent. docs/alerts.md#routes says how to add one.")
    for trouble in troubles:
        say(trouble, err=True)
    sys.exit(bool(troubles))


@messages.command()
def digest(
    send: Annotated[
        bool, typer.Option("--send", help="Send it to its routes, once a week each.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    home: Home = None,
) -> None:
    """Print the weekly digest: the month, its causes, decisions, savings, and what supports it."""
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415

    settings = writable(home)
    folder = place(settings.home)
    refuse_empty(folder, "days of costs")
    if send:
        from openai_costs.outputs.alerts.confirmed_time import confirmed  # noqa: PLC0415
        from openai_costs.storage.lake import Lake  # noqa: PLC0415

        clock = confirmed(Lake(folder), settings, utc_now)
        lines, is_delivered = sent_now(settings, clock)
        for line in lines:
            say(line)
        sys.exit(not is_delivered)
    for line in printed(settings, is_file=show):
        say(line)
    if show:
        from openai_costs.outputs.report.cost_explorer import DIGEST  # noqa: PLC0415

        typer.launch(str(folder / DIGEST))


def printed(settings: Settings, *, is_file: bool) -> Iterator[str]:
    """Yield the digest as text; of a file, which has the picture, its place."""
    from openai_costs.cli.empty_home import NothingStored  # noqa: PLC0415
    from openai_costs.outputs.alerts.channels.email import html  # noqa: PLC0415
    from openai_costs.outputs.alerts.message import clean  # noqa: PLC0415
    from openai_costs.outputs.digest.sending import page_of  # noqa: PLC0415
    from openai_costs.outputs.digest.weekly import weekly_message  # noqa: PLC0415
    from openai_costs.outputs.publish.publication import publication_of  # noqa: PLC0415
    from openai_costs.outputs.report.cost_explorer import DIGEST, PAGE  # noqa: PLC0415
    from openai_costs.storage.files import replace_file  # noqa: PLC0415

    now, publication = utc_now(), publication_of(settings)
    home, page = publication.home, page_of(publication, now)
    if page is None:
        raise NothingStored(home, "days of costs")
    address = settings.alerts.page_url or (home / PAGE).absolute().as_uri()
    made = clean(weekly_message(page, now.date(), "", address), allow_email=False)
    if not is_file:
        yield made.text
        return
    encoded = b64encode(made.picture.png if made.picture else b"").decode()
    text = html(made, f"data:image/png;base64,{encoded}")
    replace_file(home / DIGEST, text.encode())
    yield str(home / DIGEST)


def sent_now(settings: Settings, clock: Clock) -> tuple[list[str], bool]:
    """Send the digest to each route that has not had it this week.

    Returns:
        A line for each route, and whether the digest has reached every one of them.
    """
    from openai_costs.outputs.alerts.rows import Delivery, rows  # noqa: PLC0415
    from openai_costs.outputs.digest.due import due, name_of  # noqa: PLC0415
    from openai_costs.outputs.digest.sending import send_weekly  # noqa: PLC0415
    from openai_costs.storage.lake import Lake  # noqa: PLC0415
    from openai_costs.tables.mart.deliveries import Deliveries  # noqa: PLC0415

    alerts, home = settings.alerts, place(settings.home)
    if alerts.weekly is None:
        return [NO_WEEKLY], False
    began = naive(clock())
    send_weekly(settings, clock, partial(due, is_asked=True))
    logged = rows(Delivery, Lake(home).read(Deliveries))
    name = name_of(alerts.weekly, began)
    of_week = {one.channel: one for one in logged if one.finding_id == name}
    mine = [of_week[route] for route in alerts.weekly.routes if route in of_week]
    return [_line(one, began) for one in mine], all(one.status == "sent" for one in mine)


def _line(one: Delivery, began: datetime) -> str:
    if one.status != "sent" or one.sent_at is None:
        return f"{one.channel}: not delivered ({one.status}): {one.said}"
    if one.sent_at < began:
        return f"{one.channel}: was sent at {one.sent_at:%Y-%m-%d %H:%M} UTC; once a week is all."
    return f"{one.channel}: sent"
