"""The demo: the whole graph over the sample organisation, through the real client and assets.

Two runs, as in real life: the history as it stood some days ago, then today's refresh, which reads
the trailing days again and so finds the day that the provider restated in between.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import rmtree

from openai_costs.alerts.show import lines, shown
from openai_costs.backfill import Headless
from openai_costs.days import Clock, DayRange
from openai_costs.errors import SettingsError
from openai_costs.jobs import REFRESH, trailing
from openai_costs.lake import Lake
from openai_costs.progress import Say
from openai_costs.publish.database import DATABASE
from openai_costs.report.facts import REST, ReportFacts
from openai_costs.report.write import PAGE, write_report
from openai_costs.sample.connect import sample_address, sample_at
from openai_costs.sample.events import RESTATED_AFTER, EventKind
from openai_costs.sample.organisation import Organisation
from openai_costs.sections import Budget, Team
from openai_costs.settings import SAMPLE_SCHEME, Connection, Settings
from openai_costs.storage import place

CONFIG = "openai_costs.toml"
TOP = 3
MOST_FINDINGS = 5
PROJECTS_OF_TEAMS = {
    "finance": ("proj_finance_close",),
    "labs": ("proj_labs",),
    "platform": ("proj_model_evals",),
    "routing": ("proj_route_planner", "proj_atlas_2024"),
    "search": ("proj_place_search",),
    "studio": ("proj_map_studio", "proj_voice_guide"),
    "support": ("proj_support_desk",),
}
"""Whose money a project's is where no person is known; people belong to the team they work in."""
BUDGETS = (
    Budget(name="everything", limit_usd=Decimal(9000), owner="finance"),
    Budget(name="labs", scope="team", id="labs", limit_usd=Decimal(600), owner="labs"),
    Budget(name="search", scope="team", id="search", limit_usd=Decimal(2500), owner="search"),
)


def demo(home: Path, *, days: int, seed: int, clock: Clock, say: Say) -> None:
    """Materialise the sample organisation into a fresh home, and tell what came out.

    Raises:
        SettingsError: The home holds something that is not a demo, or `days` is out of range.
    """
    now = clock()
    settings = demo_settings(str(home), seed=seed, days=days, today=now.date())
    before = _before_the_restatement(settings.connections[0].base_url)
    _fresh(home, settings)
    say(f"Tidewater Maps, an invented company, {days} days. First as it stood on {before.date()}:")
    then, today = Headless(settings, say, lambda: before), Headless(settings, say, lambda: now)
    then.read_directory(publishes=False)
    then.run(REFRESH, DayRange(settings.first_day, before.date()), publishes=False)
    say(f"Now the refresh of {now.date()}, which reads the trailing days again:")
    today.read_directory(publishes=False)
    today.run(REFRESH, trailing(settings, now.date()))
    today.follow_directory()
    folder = place(settings.home)
    for line in told(write_report(folder, Lake(folder), now), home):
        say(line)


def demo_settings(home: str, *, seed: int, days: int, today: date) -> Settings:
    """Return the settings of the demo: the sample organisation as the only connection."""
    connection = Connection(
        name="sample",
        base_url=sample_address(seed=seed, days=days, today=today),
        start=today - timedelta(days=days),
        organization_id="org-tidewatermaps",
    )
    people = _organisation(connection.base_url).cast.people
    teams = tuple(
        Team(
            name=team,
            projects=projects,
            users=tuple(one.id for one in people if one.team == team),
        )
        for team, projects in PROJECTS_OF_TEAMS.items()
    )
    return Settings(
        home=home,
        config_file=Path(CONFIG),
        connections=(connection,),
        teams=teams,
        budgets=BUDGETS,
    )


def told(facts: ReportFacts, home: Path) -> Iterator[str]:
    """Yield what a person should see: numbers, who spends it, questions, findings, what next."""
    everything = facts.views[0]
    yield ""
    for number in everything.headlines:
        yield f"  {number.value:>12}  {number.label} ({', '.join(number.note.splitlines())})"
    whole = everything.periods[-1]
    yield f"\nWho spends it ({whole.title}; USD):"
    for dimension, ranking in zip(facts.dimensions, whole.rankings, strict=True):
        largest = ", ".join(
            f"{dimension.members[row.member]} {Decimal(row.cents) / 100:,.2f}"
            for row in ranking.rows[:TOP]
            if row.member != REST
        )
        yield f"  by {dimension.title.lower():<11} {largest}"
    yield "\nOpen questions:"
    for question in everything.questions:
        yield f"  - {question.title}: {question.sentence}"
    yield from _findings(home)
    yield "\nFiles:"
    for file in (PAGE, DATABASE, "published/parquet", "raw"):
        yield f"  {home / file}"
    yield f"\nNext: openai-costs dev --demo --home {home}    (the Dagster UI on these tables)"


def _findings(home: Path) -> Iterator[str]:
    """Yield what is open, with dollars, and how much is over."""
    everything = shown(place(str(home)), everything=True)
    found = [one for one in everything if one.state in ("open", "growing")]
    over, first = len(everything) - len(found), min(len(found), MOST_FINDINGS)
    yield f"\nOpen findings ({len(found)}, here the {first} worst; {over} more are over):"
    yield from (f"  {line}" for line in lines(found[:MOST_FINDINGS]))


def _before_the_restatement(address: str) -> datetime:
    """Return an instant when the day that is restated later had settled and not changed yet."""
    restated = _organisation(address).event(EventKind.RESTATED_DAY).days[0]
    return datetime.combine(restated + RESTATED_AFTER, time.min, UTC) - timedelta(hours=12)


def _organisation(address: str) -> Organisation:
    try:
        return sample_at(address)
    except ValueError as wrong:
        raise SettingsError(f"The sample organisation cannot be made: {wrong}.") from None


def _fresh(home: Path, settings: Settings) -> None:
    """Empty an old demo, and write the settings that `openai-costs dev --demo` starts from."""
    config = home / CONFIG
    if home.exists() and any(home.iterdir()):
        if not config.exists() or SAMPLE_SCHEME not in config.read_text(encoding="utf-8"):
            raise SettingsError(
                f"{home} is not empty and not a demo. Choose another folder with --home."
            )
        rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    connection = settings.connections[0]
    config.write_text(
        "# The sample organisation, answered in this process: no key, no network.\n"
        f'[[connections]]\nname = "{connection.name}"\nbase_url = "{connection.base_url}"\n'
        f'start = {connection.start}\norganization_id = "{connection.organization_id}"\n'
        + "".join(map(_team_as_toml, settings.teams))
        + "".join(map(_budget_as_toml, settings.budgets)),
        encoding="utf-8",
    )


def _team_as_toml(team: Team) -> str:
    users, projects = (json.dumps(list(ids)) for ids in (team.users, team.projects))
    return f'\n[[teams]]\nname = "{team.name}"\nusers = {users}\nprojects = {projects}\n'


def _budget_as_toml(budget: Budget) -> str:
    scope = f'scope = "{budget.scope}"\nid = "{budget.id}"\n' if budget.id else ""
    return (
        f'\n[[budgets]]\nname = "{budget.name}"\n{scope}'
        f'limit_usd = {budget.limit_usd}\nowner = "{budget.owner}"\n'
    )
