"""What the sample organization has set up: its settings as a file, and the files these name.

Not here: running anything (cli/demo.py), who the company is (sample/).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.api.serving import sample_address, sample_at
from openai_costs.sample.company.directories import catalog_yaml, directory_csv
from openai_costs.sample.company.gateway import (
    PICKED_BY_MODEL,
    SHARED_TOKENS,
    allowed_keys,
    meter_csv,
    registry_csv,
)
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


class Company(NamedTuple):
    """The sample organization, with what it has set up.

    Args:
        organisation: Who it is and what it spends.
        settings: Its settings.
        files: What stands in its home before the first run, by path below it.
    """

    organisation: Organisation
    settings: Settings
    files: Mapping[str, str]


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


def company(home: Path, *, seed: int, days: int, now: datetime, kinds: Kinds) -> Company:
    """Return the company as it is set up in a home.

    Args:
        home: The home.
        seed: Which company.
        days: Its days of history.
        now: The instant at which it is set up.
        kinds: The kinds of connections there are.

    Raises:
        SettingsError: There is no such organization.
    """
    address = sample_address(seed=seed, days=days, today=now.date())
    try:
        organisation = sample_at(address)
    except ValueError as wrong:
        raise SettingsError(f"The sample organization cannot be made: {wrong}.") from None
    start = now.date() - timedelta(days=GATEWAY_DAYS)
    metered = DayRange(max(start, organisation.first_day), now.date() - timedelta(days=1))
    text = _toml(organisation, address, metered)
    content = tomllib.loads(text, parse_float=Decimal)
    settings = settings_of(content, kinds, str(home), home / CONFIG, text)
    files = {
        CONFIG: text,
        TOKENS: registry_csv(organisation),
        METER: meter_csv(organisation, metered, now),
        PEOPLE: directory_csv(organisation.fixtures),
        CATALOG: catalog_yaml(organisation.fixtures),
    }
    return Company(organisation, settings, files)


def _toml(organisation: Organisation, address: str, metered: DayRange) -> str:
    connection = {
        "name": "sample",
        "base_url": address,
        "start": organisation.first_day,
        "organization_id": organisation.fixtures.organization_id,
    }
    people = organisation.fixtures.people
    teams = (
        {
            "name": team,
            "users": [one.id for one in people if one.team == team],
            "projects": projects,
        }
        for team, projects in PROJECTS_OF_TEAMS.items()
    )
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
        _table("[[connections]]", connection),
        *_tables("[[teams]]", teams),
        *_tables("[[budgets]]", BUDGETS),
        _table("[directory]", {"files": [PEOPLE, CATALOG]}),
        _table("[seats]", {"month_usd": SEAT_USD}),
        _table("[gateway]", gateway),
        *_tables("[[gateway.upstreams]]", upstreams),
        *_tables("[[gateway.allowed]]", allowed),
    ]
    head = "# The sample organization, answered in this process: no key, no network.\n"
    return head + "\n".join(parts)


def _tables(name: str, tables: Iterable[Mapping[str, object]]) -> list[str]:
    return [_table(name, one) for one in tables]


def _table(name: str, values: Mapping[str, object]) -> str:
    lines = (f"{key} = {_value(value)}\n" for key, value in values.items())
    return f"{name}\n{''.join(lines)}"


def _value(value: object) -> str:
    """Return a value as TOML: texts and lists as JSON writes them, days and numbers as they are."""
    if isinstance(value, (str, list, tuple)):
        return json.dumps(value)
    return str(value)
