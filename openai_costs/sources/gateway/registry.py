"""core.gateway_tokens: all kept readings of a registry folded, and each token's OpenAI key. Pure.

The ladder, the surest first: the token's own metadata names the key; a registry file names it; the
settings declare an upstream key for the token; only a project or the key's last characters are
known. What is not known is `none`, and never guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from openai_costs.settings import Upstream
from openai_costs.tables.core.gateway_tokens import GatewayTokens

DELETED = "deleted"
HINT_LENGTH = 4
"""As many characters as gateways and the provider show of a key's end."""


class TokenRow(NamedTuple):
    """A token as one source lists it; None where it does not say."""

    token_id: str
    name: str | None = None
    status: str | None = None
    team: str | None = None
    owner_id: str | None = None
    openai_api_key_id: str | None = None
    openai_project_id: str | None = None
    openai_key_hint: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True)
class Listing:
    """One complete reading of a registry.

    Args:
        day: The UTC day it was read on.
        mapping: What a key named in it is known by: token_metadata or registry_file.
        tokens: The tokens listed.
        is_read_now: Whether settings still name the source; what they do not is listed no more.
    """

    day: date
    mapping: str
    tokens: Sequence[TokenRow]
    is_read_now: bool = True


@dataclass
class _Known:
    """What all readings together say of a token."""

    row: TokenRow
    mapping: str
    first: date
    last: date
    is_current: bool


def tokens(
    connection: str,
    listings: Iterable[Listing],
    upstreams: Sequence[Upstream],
    keys: pl.DataFrame,
) -> pl.DataFrame:
    """Return core.gateway_tokens.

    Args:
        connection: The gateway's name.
        listings: Every kept reading, oldest first, of one source after the other.
        upstreams: The keys and projects that settings declare.
        keys: core.api_keys: whose last characters a hint is compared with.
    """
    known = _folded(listings)
    rows = [_laid_out(connection, one, upstreams, keys) for one in known.values()]
    schema = GatewayTokens.types()
    return pl.DataFrame(rows, schema=schema, orient="row").sort("token_id")


def _folded(listings: Iterable[Listing]) -> dict[str, _Known]:
    found: dict[str, _Known] = {}
    newest: dict[str, date] = {}
    seen: dict[tuple[str, str], date] = {}
    for listing in listings:
        newest[listing.mapping] = listing.day
        for row in listing.tokens:
            if row.status != DELETED and listing.is_read_now:
                seen[listing.mapping, row.token_id] = listing.day
            found[row.token_id] = _with(found.get(row.token_id), row, listing)
    for token_id, known in found.items():
        known.is_current = any(
            seen.get((source, token_id)) == day for source, day in newest.items()
        )
    return found


def _with(known: _Known | None, row: TokenRow, listing: Listing) -> _Known:
    """Add a reading; a later source fills in what an earlier one does not say.

    A list of what was deleted does not make a token last; before it was ours to see it may have.
    """
    if known is None:
        return _Known(row, listing.mapping, listing.day, listing.day, is_current=True)
    is_other = known.mapping != listing.mapping
    first, second = (known.row, row) if is_other else (row, known.row)
    said = {name: value for name, value in first._asdict().items() if value is not None}
    merged = second._replace(**said)
    mapping = listing.mapping if is_other and not known.row.openai_api_key_id else known.mapping
    days = (known.first, known.last, known.last if row.status == DELETED else listing.day)
    return _Known(merged, mapping, min(days), max(days), is_current=True)


def _laid_out(
    connection: str, known: _Known, upstreams: Sequence[Upstream], keys: pl.DataFrame
) -> tuple[object, ...]:
    row = known.row
    where = _upstream(row, known.mapping, upstreams, keys)
    gone = DELETED if row.status == DELETED else "vanished"
    status = (row.status or "active") if known.is_current else gone
    owner = None if row.owner_id and "@" in row.owner_id else row.owner_id or None
    return (
        connection,
        row.token_id,
        row.name or None,
        status,
        row.team or None,
        owner,
        *where,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        known.first,
        known.last,
        known.is_current,
    )


class _Where(NamedTuple):
    """The bill a token is on, in the order of the table's columns."""

    connection: str | None
    api_key_id: str | None
    project_id: str | None
    hint: str | None
    mapping: str
    confidence: str


def _upstream(
    row: TokenRow, mapping: str, upstreams: Sequence[Upstream], keys: pl.DataFrame
) -> _Where:
    project, hint = row.openai_project_id or None, row.openai_key_hint or None
    if key := row.openai_api_key_id:
        return _Where(_home(key, keys), key, project, hint, mapping, "high")
    names = (row.token_id, row.name or "")
    fitting = [one for one in upstreams if one.fits_token(names)]
    declared = {(one.connection, one.api_key_id, one.project_id) for one in fitting}
    if len(declared) == 1:
        where, key, said = declared.pop()
        confidence = "medium" if key else "low"
        return _Where(where, key, said or project, hint, "declared_upstream", confidence)
    if hint and len(ends := _ending(hint, keys)) == 1:
        where, key, said = ends[0]
        return _Where(where, key, said, hint, "key_hint", "low")
    projects = {(one.connection, one.project_id) for one in fitting}
    if len(projects) == 1 and fitting[0].project_id:
        return _Where(*_ends(projects.pop()), hint, "declared_upstream", "low")
    return _Where(None, None, project, hint, *((mapping, "low") if project else ("none", "none")))


def _ends(where: tuple[str, str | None]) -> tuple[str, None, str | None]:
    connection, project = where
    return connection, None, project


def _home(key: str, keys: pl.DataFrame) -> str | None:
    found = keys.filter(pl.col("id") == key)["connection"].unique()
    return found.item() if len(found) == 1 else None


def _ending(hint: str, keys: pl.DataFrame) -> list[tuple[str, str, str | None]]:
    """Return the keys that end like a hint: connection, id, project. A shorter one says nothing."""
    wanted = hint.rsplit(".", 1)[-1].rsplit("*", 1)[-1]
    is_long = len(wanted) >= HINT_LENGTH
    fits = pl.col("redacted_value").str.ends_with(wanted) if is_long else pl.lit(False)
    return keys.filter(fits).select("connection", "id", "project_id").rows()
