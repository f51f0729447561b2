"""What the sample organization has set up: its settings as a file, and the files these name.

Not here: running anything (cli/demo.py), who the company is (sample/).
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import SettingsError
from openai_costs.sample import toml_text
from openai_costs.sample.accounts import (
    EVERY_PROVIDER,
    OF_THE_DEMO,
    connection_tables,
    export_files,
    logins_of_people,
    members_of_teams,
)
from openai_costs.sample.api.serving import sample_address, sample_at
from openai_costs.sample.company.directories import catalog_yaml, directory_csv
from openai_costs.sample.company.gateway import (
    PICKED_BY_MODEL,
    SHARED_TOKENS,
    allowed_keys,
    meter_csv,
    registry_csv,
)
from openai_costs.sample.company.history import USUAL_DAYS
from openai_costs.sample.company.organisation import Organisation
from openai_costs.settings.connection import SAMPLE_SCHEME, Kinds
from openai_costs.settings.load import Settings, settings_of
from openai_costs.settings.settings_file import NAME as CONFIG

TOKENS, METER, PEOPLE = "company/tokens.csv", "company/meter.csv", "company/people.csv"
CATALOG = "company/catalog.yaml"
GATEWAY_DAYS = 60
"""How long the gateway has been in use."""

SEAT_USD = 30
"""What a seat costs a month, by the company's contract."""

PROJECTS_OF_TEAMS = {
    "finance": ("proj_finance_close",),
    "labs": ("proj_labs",),
    "platform": ("proj_model_evals", "proj_shared_proxy"),
    "routing": ("proj_route_planner", "proj_atlas_2024"),
    "search": ("proj_place_search",),
    "studio": ("proj_map_studio", "proj_voice_guide", "proj_voice_guide_fr"),
    "support": ("proj_support_desk",),
}
"""Whose money a project's is where no person is known; people belong to the team they work in."""

BUDGETS: tuple[Mapping[str, object], ...] = (
    {"name": "everything", "limit_usd": 9700, "owner": "finance"},
    {"name": "labs", "scope": "team", "id": "labs", "limit_usd": 600, "owner": "labs"},
    {"name": "search", "scope": "team", "id": "search", "limit_usd": 2500, "owner": "search"},
)


LIMITS_ELSEWHERE: Mapping[str, Mapping[str, int]] = {
    "anthropic": {"everything": 1500, "search": 1100},
    "bedrock": {"everything": 1100, "labs": 50},
    "github_copilot": {"everything": 600},
}
"""What a budget allows besides, for each further provider of the company."""

MORE_BUDGETS: Mapping[str, Mapping[str, object]] = {
    "anthropic": {"name": "Claude", "scope": "provider", "id": "anthropic", "limit_usd": 2900},
    "bedrock": {"name": "AWS", "scope": "connection", "id": "aws", "limit_usd": 1500},
}
"""What may be spent in a month on a maker's models, whoever invoices them, and on one bill."""


class Wanted(NamedTuple):
    """Which sample organization is wanted.

    Args:
        days: Its days of history.
        seed: Which noise around the same story.
        providers: The providers that it has connected.
    """

    days: int = USUAL_DAYS
    seed: int = 7
    providers: tuple[str, ...] = OF_THE_DEMO


class Company(NamedTuple):
    """The sample organization, with what it has set up.

    Args:
        organisation: Who it is and what it spends.
        settings: Its settings.
        files: What stands in its home before the first run, by path below it.
    """

    organisation: Organisation
    settings: Settings
    files: Mapping[str, bytes]


def is_demo(home: Path) -> bool:
    """Return whether a folder is the home of the sample organization.

    Its settings have a connection to the sample, and none to another address. That they speak of
    the sample somewhere else makes no demo of a real organization's.
    """
    config = home / CONFIG
    if not config.exists():
        return False
    try:
        connections = tomllib.loads(config.read_text(encoding="utf-8")).get("connections", [])
        addresses = [str(one["base_url"]) for one in connections if "base_url" in one]
    except (ValueError, TypeError):  # no settings of anything
        return False
    return bool(addresses) and all(one.startswith(SAMPLE_SCHEME) for one in addresses)


def company(home: Path, wanted: Wanted, *, now: datetime, kinds: Kinds) -> Company:
    """Return the company as it is set up in a home.

    Args:
        home: The home.
        wanted: Which company.
        now: The instant at which it is set up.
        kinds: The kinds of connections there are.

    Raises:
        SettingsError: There is no such organization.
    """
    address = sample_address(seed=wanted.seed, days=wanted.days, today=now.date())
    if unknown := [one for one in wanted.providers if one not in EVERY_PROVIDER]:
        there = ", ".join(EVERY_PROVIDER)
        raise SettingsError(f"The sample organization does not use {unknown[0]}. It uses: {there}.")
    try:
        organisation = sample_at(address)
    except ValueError as wrong:
        raise SettingsError(f"The sample organization cannot be made: {wrong}.") from None
    start = now.date() - timedelta(days=GATEWAY_DAYS)
    metered = DayRange(max(start, organisation.first_day), now.date() - timedelta(days=1))
    text = _toml(organisation, address, metered, wanted.providers)
    content = tomllib.loads(text, parse_float=Decimal)
    settings = settings_of(content, kinds, str(home), home / CONFIG, text)
    files = {
        CONFIG: text,
        TOKENS: registry_csv(organisation),
        METER: meter_csv(organisation, metered, now),
        PEOPLE: directory_csv(organisation.fixtures, logins_of_people(wanted.providers)),
        CATALOG: catalog_yaml(organisation.fixtures),
    }
    written = {name: content.encode() for name, content in files.items()}
    return Company(
        organisation, settings, written | export_files(organisation, wanted.providers, now)
    )


def budgets_of(providers: Collection[str]) -> Iterator[Mapping[str, object]]:
    """Yield the company's budgets: those that all providers share, and one for each of some."""
    for budget in BUDGETS:
        more = (LIMITS_ELSEWHERE.get(one, {}).get(str(budget["name"]), 0) for one in providers)
        yield {**budget, "limit_usd": int(str(budget["limit_usd"])) + sum(more)}
    for provider, budget in MORE_BUDGETS.items():
        if provider in providers:
            yield {**budget, "owner": "finance"}


def _teams(
    organisation: Organisation, providers: Collection[str]
) -> Iterator[Mapping[str, object]]:
    """Yield each team with its people and projects at every provider."""
    elsewhere = members_of_teams(organisation, providers)
    people = organisation.fixtures.people
    for team, projects in PROJECTS_OF_TEAMS.items():
        more = elsewhere.get(team, {"users": [], "projects": []})
        yield {
            "name": team,
            "users": [*(one.id for one in people if one.team == team), *more["users"]],
            "projects": [*projects, *more["projects"]],
        }


def _toml(
    organisation: Organisation, address: str, metered: DayRange, providers: Collection[str]
) -> str:
    gateway = {"start": metered.first, "token_files": [TOKENS], "spend_files": [METER]}
    shared = [one.token_id for one in SHARED_TOKENS]
    upstreams = (
        {"connection": "sample", "api_key_id": key, "tokens": shared, "models": [models]}
        for key, models in PICKED_BY_MODEL.items()
    )
    until = metered.last + timedelta(days=365)
    allowed = (
        {"api_key_id": key, "reason": "not behind the gateway yet", "until": until}
        for key in allowed_keys(organisation)
    )
    parts = [
        *toml_text.tables("[[connections]]", connection_tables(organisation, providers, address)),
        *toml_text.tables("[[teams]]", _teams(organisation, providers)),
        *toml_text.tables("[[budgets]]", budgets_of(providers)),
        toml_text.table("[directory]", {"files": [PEOPLE, CATALOG]}),
        toml_text.table("[seats]", {"month_usd": SEAT_USD}),
        toml_text.table("[gateway]", gateway),
        *toml_text.tables("[[gateway.upstreams]]", upstreams),
        *toml_text.tables("[[gateway.allowed]]", allowed),
    ]
    head = "# The sample organization, answered in this process: no key, no network.\n"
    return head + "\n".join(parts)
