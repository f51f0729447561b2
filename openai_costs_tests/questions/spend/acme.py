"""One small organisation for the tests of attribution: rows with only what a test is about."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.questions.spend.names import Directory
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs_tests.org import day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.tables.contract import Contract

RICH: Final = "project_id,user_id,api_key_id,line_item"
PLAIN: Final = "project_id,api_key_id,line_item"
TINY: Final = "0.000000000000000001"
ACME: Final = {"connection": "acme", "provider": "openai", "day": day(1)}


def rows(table: type[Contract], lines: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a table; what a line does not say is null."""
    blank = dict.fromkeys(table.types())
    return pl.DataFrame([blank | line for line in lines], schema=table.types())


def item(model: str | None, usd: str, usage_type: str = "input") -> dict[str, Any]:
    """The label, what is parsed from it, and the dollars."""
    label = "Vector storage" if model is None else f"{model}, {usage_type}"
    parsed = {"model": model, "usage_type": usage_type if model else "storage"}
    return {"line_item": label, "billed_usd": Decimal(usd)} | parsed


def line(
    project: str | None,
    key: str | None,
    usd: str,
    *,
    user: str | None = None,
    model: str | None = "gpt-5",
    **more: object,
) -> dict[str, Any]:
    """A line of the ledger."""
    who = {"project_id": project, "api_key_id": key, "user_id": user}
    return ACME | who | item(model, usd) | more


def ledger(*lines: dict[str, Any], grouping: str = RICH) -> pl.DataFrame:
    """core.spend, read with users unless said otherwise."""
    return rows(Ledger, ({"grouping": grouping} | one for one in lines))


def user_view(*lines: tuple[str | None, str], model: str | None = "gpt-5") -> pl.DataFrame:
    """core.spend_by_user from (user, USD)."""
    return rows(UserView, (ACME | {"user_id": user} | item(model, usd) for user, usd in lines))


def usage(
    *lines: tuple[str | None, str | None, str | None, int], model: str = "gpt-5"
) -> pl.DataFrame:
    """core.usage from (project, user, key, tokens)."""
    known = ACME | {"endpoint": "completions", "model": model}
    said = (
        {"project_id": project, "user_id": user, "api_key_id": key, "input_tokens": tokens}
        for project, user, key, tokens in lines
    )
    return rows(Usage, (known | one for one in said))


def directory(
    *,
    keys: dict[str, str | None] | None = None,
    users: dict[str, str] | None = None,
    service_accounts: dict[str, str] | None = None,
    projects: dict[str, str] | None = None,
) -> Directory:
    """A directory from key -> owner, and id -> name for the others."""
    seen = {"connection": "acme", "last_seen_day": day(1)}
    owned = (
        seen | {"id": key, "name": f"{key}'s name", "owner_id": owner}
        for key, owner in (keys or {}).items()
    )
    tables = ((Users, users), (ServiceAccounts, service_accounts), (Projects, projects))
    called = (
        rows(table, (seen | {"id": one, "name": name} for one, name in (names or {}).items()))
        for table, names in tables
    )
    return Directory(rows(ApiKeys, owned), *called)


NOT_READ: Final = directory()
"""A directory of which nothing is known."""
