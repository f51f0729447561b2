"""core.gateway_tokens: the tokens of all kept readings of a registry, and their OpenAI keys. Pure.

What a token says of itself comes before what settings say of many: its own metadata names the key;
a registry file names it; either has the key's last characters, and one key alone ends so; a listed
token has the alias of one that only the meter names; the settings declare an upstream key for the
token; only a project is known. What is not known is `none`, and never guessed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY
from openai_costs.kernel.redaction import plain_name
from openai_costs.settings import Upstream
from openai_costs.sources.gateway.listing import DELETED, Listing, TokenRow
from openai_costs.sources.gateway.token_history import Known, Turn, folded
from openai_costs.tables.core.gateway_tokens import REASSIGNED, GatewayTokens

NAMED_BY = ("token_metadata", "registry_file")
"""Mappings of which a person wrote the key's id down."""
HINT_LENGTH = 4
"""As many characters as gateways and the provider show of a key's end."""


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
    rows = [
        row
        for known in folded(listings).values()
        for row in _rows(connection, known, upstreams, keys)
    ]
    schema = GatewayTokens.types()
    return pl.DataFrame(rows, schema=schema, orient="row").sort("token_id", "first_seen_day")


def _rows(
    connection: str, known: Known, upstreams: Sequence[Upstream], keys: pl.DataFrame
) -> Iterator[tuple[object, ...]]:
    """Yield a row for each bill that a token was on, oldest first."""
    bills = _bills(known, upstreams, keys)
    befores, afters = [None, *bills[:-1]], [*bills[1:], None]
    for before, (turn, where, _), after in zip(befores, bills, afters, strict=True):
        is_current = known.is_current and after is None
        yield (
            connection,
            turn.row.token_id,
            plain_name(turn.row.name),
            REASSIGNED if after else _status(known),
            plain_name(turn.row.team),
            _owner(turn.row),
            *where,
            turn.row.created_at,
            turn.row.expires_at,
            turn.row.last_used_at,
            turn.first,
            turn.last,
            before.turn.last + ONE_DAY if before else None,
            _ends(known, turn.last, after.turn.first) if after else known.until,
            is_current,
            known.is_partial,
        )


def _bills(known: Known, upstreams: Sequence[Upstream], keys: pl.DataFrame) -> list["_Bill"]:
    """Return the bills that a token was on, oldest first.

    A bill that was not known before it was named is the one that it was on before.
    """
    found: list[_Bill] = []
    for turn in known.turns():
        fitting = [one for one in upstreams if one.fits_token(_names(turn.row))]
        where = upstream_of(turn.row, turn.mapping, upstreams, keys)
        bill = _Bill(turn, where, fitting)
        if found and (not found[-1].is_known or found[-1].is_same(bill)):
            first = found.pop().turn.first
            bill = bill._replace(turn=turn._replace(first=first))
        found.append(bill)
    return found


class _Bill(NamedTuple):
    """The bill of a token in one turn.

    Args:
        turn: The turn.
        where: The key or project.
        fitting: The declared upstreams that fit its names.
    """

    turn: Turn
    where: "Where"
    fitting: Sequence[Upstream]

    @property
    def is_known(self) -> bool:
        """Return whether anything says which bill it is."""
        return bool(self.where.api_key_id or self.where.project_id or self.fitting)

    def is_same(self, other: "_Bill") -> bool:
        """Return whether another turn is on the same key, or without one on the same project."""
        one, then = (
            (bill.where.api_key_id or bill.where.project_id, bill.fitting) for bill in (self, other)
        )
        return one == then


def _ends(known: Known, last: date, after: date) -> date:
    """Return until when a bill counts: before a list without the token, or before the next bill."""
    return min([after, *(day for day in known.lacking if last < day < after)]) - ONE_DAY


def _status(known: Known) -> str:
    gone = DELETED if known.deleted else "vanished"
    return (known.row.status or "active") if known.is_current else gone


def _owner(row: TokenRow) -> str | None:
    return None if row.owner_id and "@" in row.owner_id else row.owner_id or None


def _names(row: TokenRow) -> tuple[str, str]:
    return row.token_id, row.name or ""


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
    if hint and len(ends := _ending(hint, keys)) == 1:
        where, key, named = ends[0]
        return Where(where, key, named, hint, "key_hint", "low")
    names = _names(row)
    # One for some models leaves the others to what the token says: questions/gateway_routes.py.
    fitting = [one for one in upstreams if one.fits_token(names) and not one.is_for_models]
    declared = {(one.connection, one.api_key_id, one.project_id) for one in fitting}
    if len(declared) == 1:
        where, key, named = declared.pop()
        confidence = "medium" if key else "low"
        return Where(where, key, named or project, hint, "declared_upstream", confidence)
    projects = {(one.connection, one.project_id) for one in fitting}
    if len(projects) == 1 and fitting[0].project_id:
        return Where(*_of_project(projects.pop()), hint, "declared_upstream", "low")
    return Where(None, None, project, hint, *((mapping, "low") if project else ("none", "none")))


def _of_project(where: tuple[str, str | None]) -> tuple[str, None, str | None]:
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
