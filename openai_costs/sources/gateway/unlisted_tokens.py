"""Tokens that only the meter names, such as the hash before a rotation, and their bill. Pure.

A rotation replaces a token's hash and keeps its alias, so the listed token of that alias gives the
bill. Else what settings declare for any token holds for this one too. An alias with an e-mail
address, which no table has, proves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.redaction import AN_ADDRESS
from openai_costs.settings import Upstream
from openai_costs.sources.gateway.listing import TokenRow
from openai_costs.sources.gateway.registry import Where, upstream_of
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


class _Bill(NamedTuple):
    """The bill of a listed token, and the days on which it may be on it; None without end."""

    where: Where
    first: date | None
    last: date | None

    def meets(self, token: MeteredToken) -> bool:
        """Return whether a metered token is of some of these days."""
        return (self.first or token.last) <= token.last and token.first <= (
            self.last or token.first
        )


def _by_name(listed: pl.DataFrame) -> Mapping[str, Sequence[_Bill]]:
    """Return the bills of the listed tokens of each alias that is of one token alone."""
    columns = ("upstream_connection", "openai_api_key_id", "openai_project_id", "openai_key_hint")
    days = ("counts_from_day", "counts_until_day")
    found: dict[str, list[_Bill]] = {}
    named = listed.filter(~pl.col("name").str.contains(AN_ADDRESS, literal=True))
    for name, *ids, first, last in named.select("name", *columns, *days).rows():
        connection, key, project, hint = ids
        where = Where(connection, key, project, hint, BY_NAME, "medium" if key else "low")
        found.setdefault(name, []).append(_Bill(where, first, last))
    return found


def _where(
    token: MeteredToken, of_name: Mapping[str, Sequence[_Bill]], upstreams: Sequence[Upstream]
) -> Where:
    """Return the bill of all listed tokens of its alias on its days, or what settings declare."""
    bills = of_name.get(token.name or "", ())
    wheres = {one.where for one in bills if one.meets(token)} or {one.where for one in bills}
    if len(wheres) == 1 and ((same := wheres.pop()).api_key_id or same.project_id):
        return same
    row = TokenRow(token.token_id, name=token.name)
    return upstream_of(row, "none", upstreams, ApiKeys.no_rows())


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
