"""The demo: the whole graph over the sample organization, through the real client and assets.

Pages are read twice: the history as of some days ago, then the trailing days as of today, when the
provider has restated one of them. Tables are made once, of all that was read.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from openai_costs.cli.backfill import Headless
from openai_costs.cli.demo_home import fresh
from openai_costs.cli.ending import ending
from openai_costs.cli.graphs import is_ledger, is_page
from openai_costs.cli.home_settings import option_of
from openai_costs.cli.progress import Say
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.formatting import counted, dollars, listed, total_usd
from openai_costs.orchestration.jobs import DERIVE, DIRECTORY, REFRESH, trailing
from openai_costs.outputs.publish.publication import publication_of
from openai_costs.sample.company.events import RESTATED_AFTER, EventKind
from openai_costs.sample.company.organisation import Organisation
from openai_costs.sample.setup import Company, Wanted, company
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.spend import Spend

MOST_TEAMS = 4


def demo(home: Path, wanted: Wanted, *, clock: Clock, say: Say) -> None:
    """Materialize the sample organization into a fresh home, and print the results.

    Raises:
        SettingsError: The home contains something that no demo made, or there is no such
            organization.
    """
    now = clock()
    made = company(home, wanted, now=now, kinds=connection_kinds())
    with fresh(home, made.files):
        _materialize(made, now, say)
    for line in ending(publication_of(made.settings), now):
        say(line)
    say(f"\nNext: openai-costs dev --demo{option_of(home)}    (the Dagster UI on these tables)")


def _materialize(made: Company, now: datetime, say: Say) -> None:
    """Read the history as of some days ago and today's trailing days, and make all tables."""
    settings, before = made.settings, _before_the_restatement(made.organisation)
    every = DayRange(settings.first_day, now.date())
    bills = counted(len(settings.connections), "connection")
    days = counted((every.last - every.first).days, "day")
    say(f"Tidewater Maps, an invented company, {days}, {bills}. Pages as of {before.date()}:")
    then, today = Headless(settings, say, lambda: before), Headless(settings, say, lambda: now)
    then.run(DIRECTORY, None, is_page)
    then.run(REFRESH, DayRange(every.first, before.date()), is_page)
    say(f"Pages as of {now.date()}, the trailing days again:")
    today.run(REFRESH, trailing(settings, now.date()), is_page)
    say("Tables of all days, with the names of today:")
    today.run(REFRESH, every, is_ledger)
    today.run(DIRECTORY, None)
    today.run(DERIVE, every)
    say(_month_so_far(Lake(place(settings.home)), now.date()))
    today.publish()


def _month_so_far(lake: Lake, last: date) -> str:
    """Return what the month of a day costs up to it, by team: the first number there is."""
    first = max(last.replace(day=1), min(key.day for key in lake.reads(Spend)))
    spent = lake.read(Spend, DayRange(first, last))
    teams = spent.group_by(pl.col("team").fill_null("no team")).agg(pl.col("billed_usd").sum())
    ordered = teams.sort("billed_usd", "team", descending=[True, False])
    parts = [f"{team} {dollars(usd)}" for team, usd in ordered.iter_rows()]
    return (
        f"So far {dollars(total_usd(spent['billed_usd'].to_list()))}, {first} to {last}: "
        f"{listed(parts, MOST_TEAMS, 'team')}."
    )


def _before_the_restatement(organisation: Organisation) -> datetime:
    """Return an instant when the day that is restated later had settled and not changed."""
    restated = organisation.event(EventKind.RESTATED_DAY).days[0]
    return datetime.combine(restated + RESTATED_AFTER, time.min, UTC) - timedelta(hours=12)
