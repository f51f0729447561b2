"""Tokens that only the meter names, such as the hash before a rotation, and their bill. Pure.

A rotation replaces a token's hash and keeps its alias, so the listed token of that alias gives the
bill. Else what settings declare for any token holds for this one too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.settings import Upstream
from openai_costs.sources.gateway.registry import TokenRow, Where, upstream_of
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import UNLISTED, GatewayTokens

BY_NAME = "token_name"


class MeteredToken(NamedTuple):
    """A token as the meter names it.

    Args:
        token_id: The gateway's id.
        name: Its alias, where the meter has it.
        first: The first UTC day it was metered on.
        last: The last one.
    """

    token_id: str
    name: str | None
    first: date
    last: date


def with_unlisted(
    listed: pl.DataFrame,
    connection: str,
    metered: Iterable[MeteredToken],
    upstreams: Sequence[Upstream],
) -> pl.DataFrame:
    """Return core.gateway_tokens with a row for each token that only the meter names.

    Args:
        listed: core.gateway_tokens of the listings.
        connection: The gateway's name.
        metered: The tokens that the meter names.
        upstreams: The keys and projects that settings declare.
    """
    known, of_name = set(listed["token_id"]), _by_name(listed)
    rows = [
        _row(connection, one, _where(one, of_name, upstreams))
        for one in metered
        if one.token_id not in known
    ]
    added = pl.DataFrame(rows, schema=GatewayTokens.types())
    return pl.concat([listed, added]).sort("token_id")


def _by_name(listed: pl.DataFrame) -> Mapping[str, Where]:
    """Return the bill of each alias whose listed tokens are all on the same one."""
    columns = ("upstream_connection", "openai_api_key_id", "openai_project_id", "openai_key_hint")
    found: dict[str, set[tuple[str | None, ...]]] = {}
    for name, *where in listed.filter(pl.col("name").is_not_null()).select("name", *columns).rows():
        found.setdefault(name, set()).add(tuple(where))
    bills = {name: wheres.pop() for name, wheres in found.items() if len(wheres) == 1}
    return {
        name: Where(connection, key, project, hint, BY_NAME, "medium" if key else "low")
        for name, (connection, key, project, hint) in bills.items()
        if key or project
    }


def _where(
    token: MeteredToken, of_name: Mapping[str, Where], upstreams: Sequence[Upstream]
) -> Where:
    row = TokenRow(token.token_id, name=token.name)
    same = of_name.get(token.name or "")
    return same or upstream_of(row, "none", upstreams, ApiKeys.no_rows())


def _row(connection: str, token: MeteredToken, where: Where) -> dict[str, object]:
    return dict.fromkeys(GatewayTokens.types()) | {
        "connection": connection,
        "token_id": token.token_id,
        "name": token.name,
        "status": UNLISTED,
        "upstream_connection": where.connection,
        "openai_api_key_id": where.api_key_id,
        "openai_project_id": where.project_id,
        "openai_key_hint": where.hint,
        "mapping": where.mapping,
        "confidence": where.confidence,
        "first_seen_day": token.first,
        "last_seen_day": token.last,
        "is_current": False,
        "is_partial": False,
    }
