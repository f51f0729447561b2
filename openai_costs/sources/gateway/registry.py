"""core.gateway_tokens: all kept readings of a registry folded, and each token's OpenAI key. Pure.

The methods, the surest first: the token's own metadata names the key; a registry file names it; the
settings declare an upstream key for the token; a listed token has the alias of one that only the
meter names; only a project or the key's last characters are known. What is not known is `none`, and
never guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from openai_costs.settings import Upstream
from openai_costs.tables.core.gateway_tokens import GatewayTokens

DELETED = "deleted"
NAMED_BY = ("token_metadata", "registry_file")
"""Mappings of which a person wrote the key's id down."""
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
        is_partial: Whether rows of it were set aside: a token it lacks may be there all the same.
    """

    day: date
    mapping: str
    tokens: Sequence[TokenRow]
    is_read_now: bool = True
    is_partial: bool = False


@dataclass
class _Known:
    """What all readings together say of a token."""

    row: TokenRow
    mapping: str
    first: date
    last: date
    is_current: bool
    is_partial: bool = False


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
        if not listing.is_partial:
            newest[listing.mapping] = listing.day
        for row in listing.tokens:
            if row.status != DELETED and listing.is_read_now:
                seen[listing.mapping, row.token_id] = listing.day
            found[row.token_id] = _with(found.get(row.token_id), row, listing)
    sources = {source for source, _ in seen}
    for token_id, known in found.items():
        known.is_current = any(
            (source, token_id) in seen and seen[source, token_id] >= newest.get(source, date.min)
            for source in sources
        )
    return found


def _with(known: _Known | None, row: TokenRow, listing: Listing) -> _Known:
    """Add a reading; a later source fills in what an earlier one does not say.

    A list of what was deleted does not make a token last; before it was ours to see it may have.
    """
    if known is None:
        day, is_partial = listing.day, listing.is_partial
        return _Known(row, listing.mapping, day, day, is_current=True, is_partial=is_partial)
    is_other = known.mapping != listing.mapping
    first, second = (known.row, row) if is_other else (row, known.row)
    known_now = {name: value for name, value in first._asdict().items() if value is not None}
    merged = second._replace(**known_now)
    mapping = listing.mapping if is_other and not known.row.openai_api_key_id else known.mapping
    days = (known.first, known.last, known.last if row.status == DELETED else listing.day)
    is_partial = known.is_partial if row.status == DELETED else listing.is_partial
    return _Known(merged, mapping, min(days), max(days), is_current=True, is_partial=is_partial)


def _laid_out(
    connection: str, known: _Known, upstreams: Sequence[Upstream], keys: pl.DataFrame
) -> tuple[object, ...]:
    row = known.row
    where = upstream_of(row, known.mapping, upstreams, keys)
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
        known.is_partial,
    )


class Where(NamedTuple):
    """The bill a token is on, in the order of the table's columns."""

    connection: str | None
    api_key_id: str | None
    project_id: str | None
    hint: str | None
    mapping: str
    confidence: str


def upstream_of(
    row: TokenRow, mapping: str, upstreams: Sequence[Upstream], keys: pl.DataFrame
) -> Where:
    """Return the bill that a token is on.

    Args:
        row: The token.
        mapping: What a key or project that it names is known by.
        upstreams: The keys and projects that settings declare.
        keys: core.api_keys.
    """
    project, hint = row.openai_project_id or None, row.openai_key_hint or None
    if key := row.openai_api_key_id:
        confidence = "low" if is_unknown(key, keys) else "high"
        return Where(_home(key, keys), key, project, hint, mapping, confidence)
    names = (row.token_id, row.name or "")
    fitting = [one for one in upstreams if one.fits_token(names)]
    declared = {(one.connection, one.api_key_id, one.project_id) for one in fitting}
    if len(declared) == 1:
        where, key, named = declared.pop()
        confidence = "medium" if key else "low"
        return Where(where, key, named or project, hint, "declared_upstream", confidence)
    if hint and len(ends := _ending(hint, keys)) == 1:
        where, key, named = ends[0]
        return Where(where, key, named, hint, "key_hint", "low")
    projects = {(one.connection, one.project_id) for one in fitting}
    if len(projects) == 1 and fitting[0].project_id:
        return Where(*_ends(projects.pop()), hint, "declared_upstream", "low")
    return Where(None, None, project, hint, *((mapping, "low") if project else ("none", "none")))


def _ends(where: tuple[str, str | None]) -> tuple[str, None, str | None]:
    connection, project = where
    return connection, None, project


def is_unknown(key: str, keys: pl.DataFrame) -> bool:
    """Return whether there is a directory of keys, and it does not have this one."""
    return not keys.is_empty() and not (keys["id"] == key).any()


def strangers(frame: pl.DataFrame, keys: pl.DataFrame) -> list[str]:
    """Return a sentence for each listed token that names a key no directory has.

    Args:
        frame: core.gateway_tokens.
        keys: core.api_keys.
    """
    if keys.is_empty():
        return []
    named = frame.filter("is_current", pl.col("mapping").is_in(NAMED_BY))
    unknown = named.filter(~pl.col("openai_api_key_id").is_in(keys["id"].implode()))
    return [
        f"The token {name or token_id} names the OpenAI key {key}, which no directory has: correct "
        "openai_api_key_id in its metadata or its registry file, or read the organization that "
        "the key belongs to."
        for token_id, name, key in unknown.select(
            "token_id", "name", "openai_api_key_id"
        ).iter_rows()
    ]


def _home(key: str, keys: pl.DataFrame) -> str | None:
    found = keys.filter(pl.col("id") == key)["connection"].unique()
    return found.item() if len(found) == 1 else None


def _ending(hint: str, keys: pl.DataFrame) -> list[tuple[str, str, str | None]]:
    """Return the keys that end like a hint: connection, id, project. A shorter one says nothing."""
    wanted = hint.rsplit(".", 1)[-1].rsplit("*", 1)[-1]
    is_long = len(wanted) >= HINT_LENGTH
    fits = pl.col("redacted_value").str.ends_with(wanted) if is_long else pl.lit(False)
    return keys.filter(fits).select("connection", "id", "project_id").rows()
