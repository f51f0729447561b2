"""The accounts of the sample company: a connection for each, and whose money is whose there.

Not here: what an account answers (a folder for each vendor), what the company plans (setup.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openai_costs.sample.anthropic import members
from openai_costs.sample.anthropic.routes import ADMIN_KEY as ANTHROPIC_KEY
from openai_costs.sample.api.options import SAMPLE_ADMIN_KEY
from openai_costs.sample.bedrock import exports as aws
from openai_costs.sample.focus_file import exports as clouds
from openai_costs.sample.github_copilot.routes import LOGINS
from openai_costs.sample.vendors import VENDORS
from openai_costs.settings.connection import SAMPLE_SCHEME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from openai_costs.sample.company.organisation import Organisation

BILLING: Final = "billing"
"""The folder of a home that holds exported bills."""


class Account(NamedTuple):
    """An account, and how it is connected.

    Args:
        provider: The provider.
        connection: What the company calls the connection.
        root: The base path of the vendor's wire; none where the bill comes as files.
        variable: The variable of the key.
        key: The company's key.
        organization_id: The account's id; None where settings name none.
        days: How far back it is read; None for all days of the company.
        more: Settings that only this provider has.
    """

    provider: str
    connection: str
    root: str = ""
    variable: str = ""
    key: str = ""
    organization_id: str | None = None
    days: int | None = None
    more: Mapping[str, Any] = {}


def _of_vendor(provider: str, connection: str, days: int | None, **more: object) -> Account:
    vendor = next(one for one in VENDORS if one.provider == provider)
    wire = (vendor.root, vendor.variable, vendor.key, vendor.organization_id or None)
    return Account(provider, connection, *wire, days, more)


def _of_files(provider: str, connection: str, **more: object) -> Account:
    return Account(provider, connection, more={"files": [f"{BILLING}/{connection}"], **more})


_EURO: Final = {"currency": "EUR", "usd_per_unit": "x_BilledCostInUsd"}
ACCOUNTS: Final = (
    Account("openai", "sample", "/v1", "OPENAI_ADMIN_KEY", SAMPLE_ADMIN_KEY),
    Account(
        *("anthropic", "claude", "/v1", "ANTHROPIC_ADMIN_KEY", ANTHROPIC_KEY),
        members.ORGANIZATION["id"],
    ),
    _of_files("bedrock", "aws", settled_after_days=1),
    _of_vendor("github_copilot", "copilot", 40),
    _of_vendor("chatgpt_workspace", "chatgpt", 28, usd_per_credit="0.04"),
    _of_vendor("openrouter", "openrouter", 28),
    _of_vendor("litellm", "proxy", 28),
    _of_files("focus_file", "azure", **_EURO),
    _of_files("focus_file", "google"),
)
"""All of them; the names of those that come as files are the folders of their exports."""

EVERY_PROVIDER: Final = tuple(dict.fromkeys(one.provider for one in ACCOUNTS))
OF_THE_DEMO: Final = ("openai", "anthropic", "bedrock", "github_copilot", "chatgpt_workspace")
"""Five bills of four kinds: two APIs of tokens, a cloud's export, seats with usage, and credits."""


def accounts_at(providers: Collection[str]) -> list[Account]:
    """Return the company's accounts at some providers."""
    return [one for one in ACCOUNTS if one.provider in providers]


def connection_tables(
    organisation: Organisation, providers: Collection[str], address: str
) -> Iterator[dict[str, object]]:
    """Yield a table of `[[connections]]` for each account.

    Args:
        organisation: The company.
        providers: The providers that are connected.
        address: `sample://...`, or where the sample API listens.
    """
    ids = {"openai": organisation.fixtures.organization_id}
    for one in accounts_at(providers):
        begins = one.days and organisation.today - timedelta(days=one.days)
        account = one.organization_id or ids.get(one.provider)
        yield {
            "name": one.connection,
            **({} if one.provider == "openai" else {"provider": one.provider}),
            **({} if "files" in one.more else {"base_url": _at(address, one)}),
            "start": max(begins or organisation.first_day, organisation.first_day),
            **({"organization_id": account} if account else {}),
            **one.more,
        }


def _at(address: str, account: Account) -> str:
    return address if address.startswith(SAMPLE_SCHEME) else address + account.root


def export_files(
    organisation: Organisation, providers: Collection[str], now: datetime
) -> dict[str, bytes]:
    """Return the exported bills at an instant, by their paths below the home."""
    makers = {"bedrock": aws.exports, "focus_file": clouds.exports}
    made = (make(organisation, now) for name, make in makers.items() if name in providers)
    return {f"{BILLING}/{path}": content for files in made for path, content in files.items()}


def logins_of_people(providers: Collection[str]) -> dict[str, str]:
    """Return the logins of people at GitHub, which shows no addresses, by their id at OpenAI."""
    logins = LOGINS if "github_copilot" in providers else ()
    return {f"user-{login.partition('-')[0]}": login for login in logins}


def members_of_teams(
    organisation: Organisation, providers: Collection[str]
) -> dict[str, dict[str, list[str]]]:
    """Return what belongs to each team besides its people and projects at OpenAI.

    A ChatGPT workspace has the people's ids at OpenAI.
    """
    team_of = {one.id: one.team for one in organisation.fixtures.people}
    people = {
        "anthropic": {name: members.user_id(name) for name in members.MEMBERS},
        "github_copilot": {login.partition("-")[0]: login for login in LOGINS},
        "bedrock": {"hyejin": "user/hyejin"},
    }
    places = {"anthropic": members.WORKSPACES_OF_TEAMS, "bedrock": aws.ACCOUNTS_OF_TEAMS}
    found: dict[str, dict[str, list[str]]] = {}
    for provider in providers:
        for name, user_id in people.get(provider, {}).items():
            its = found.setdefault(team_of[f"user-{name}"], {"users": [], "projects": []})
            its["users"].append(user_id)
        for team, ids in places.get(provider, {}).items():
            found.setdefault(team, {"users": [], "projects": []})["projects"].extend(ids)
    return found
