"""Seats that deserve a look, as candidates for `mart.findings`: one per seat. No address."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from openai_costs.questions.coverage import newest_settled
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.seats import Seats

PAGE = "docs/governance.md"
SPAN = "in the 30 days to {day}"
LEAVER = Rule(
    "seats.leaver_spends",
    title="{who}, who left according to the directory, spent {usd} " + SPAN,
    span=SPAN,
    quiet_days=0,
    page=PAGE,
)
UNMATCHED = Rule(
    "seats.unmatched",
    title="{who} was not in the company directory and spent {usd} " + SPAN,
    span=SPAN,
    quiet_days=0,
    page=PAGE,
)
IDLE = Rule(
    "seats.idle",
    title="{who} did not use a seat that costs {usd} a month, as of {day}",
    span=SPAN,
    quiet_days=0,
    page=PAGE,
)


class Meaning(NamedTuple):
    """A rule, how bad it is, and which seats it is about."""

    rule: Rule
    severity: str
    holds: pl.Expr


_IS_MEMBER = pl.col("is_current") & (pl.col("seat_kind") == "user")
_HAS_LEFT = (pl.col("status") == "left") & (
    pl.col("left_day").is_null() | (pl.col("last_active_day") > pl.col("left_day"))
)
OF_DIRECTORY = (
    Meaning(LEAVER, "critical", _HAS_LEFT & (pl.col("spend_30d_usd") > 0)),
    Meaning(UNMATCHED, "warning", _IS_MEMBER & (pl.col("status") == "unmatched")),
)
"""What only a directory that can be believed can say."""
OF_USE = (Meaning(IDLE, "info", _IS_MEMBER & pl.col("is_idle") & pl.col("seat_usd").is_not_null()),)
MEANINGS = (*OF_DIRECTORY, *OF_USE)


def found(
    seats: pl.DataFrame, users: pl.DataFrame, meanings: Sequence[Meaning] = MEANINGS
) -> pl.DataFrame:
    """Return a candidate per seat and rule.

    Args:
        seats: mart.seats. Without a directory that can be believed nobody is flagged.
        users: core.users: since when a member is known, so that a finding begins on one day.
        meanings: The rules.
    """
    known = users.select("connection", "first_seen_day", user_id="id")
    dated = seats.filter(pl.col("as_of_day").is_not_null()).join(
        known, on=["connection", "user_id"], how="left", maintain_order="left"
    )
    rows = [
        _said(meaning, seat)
        for meaning in meanings
        for seat in dated.filter(meaning.holds).iter_rows(named=True)
    ]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def _said(meaning: Meaning, seat: dict[str, Any]) -> dict[str, Any]:
    name = None if "@" in (seat["name"] or "") else seat["name"]
    is_idle = meaning.rule is IDLE
    return {
        "rule": meaning.rule.id,
        "severity": meaning.severity,
        "subject_kind": "user",
        "subject_id": seat["user_id"],
        "subject_name": name,
        "connection": seat["connection"],
        "day": seat["as_of_day"],
        "since_day": min(_since(meaning.rule, seat) or seat["as_of_day"], seat["as_of_day"]),
        "observed": seat["spend_30d_usd"],
        "unit": "USD",
        "impact_usd": seat["seat_usd"] if is_idle else seat["spend_30d_usd"],
        "because": _because(meaning.rule, seat, name or seat["user_id"]),
        "owner": seat["team"],
        "table_name": Seats.full_name(),
    }


def _since(rule: Rule, seat: dict[str, Any]) -> date | None:
    """Return a day that does not move: a finding that began today each day is a new one."""
    first: dict[str, date | None] = {
        LEAVER.id: seat["left_day"],
        IDLE.id: seat["last_active_day"],
    }
    return first.get(rule.id) or seat["first_seen_day"]


def _because(rule: Rule, seat: dict[str, Any], who: str) -> str:
    active = f"last active {seat['last_active_day'] or 'never'}"
    spent = f"{seat['spend_30d_usd']:,.2f} USD in the 30 days to {seat['as_of_day']}"
    if rule is LEAVER:
        left = f" on {seat['left_day']}" if seat["left_day"] else ""
        return f"{who} left{left}, says the directory, and spent {spent}; {active}."
    if rule is UNMATCHED:
        role = seat["role"] or "member"
        return f"{who} ({role}) is nobody the directory knows; spent {spent}; {active}."
    return (
        f"{who} holds a seat of {seat['seat_usd']:,.2f} USD a month (contract price, an "
        f"assumption) and is idle: {active}, spent {spent}."
    )


def _of(lake: Lake, meanings: Sequence[Meaning]) -> pl.DataFrame:
    settled = newest_settled(lake.read(Coverage))
    as_of = pl.when(pl.col("settled_until").is_not_null()).then(
        pl.min_horizontal("as_of_day", "settled_until")
    )
    dated = lake.read(Seats).join(settled, on="connection", how="left", maintain_order="left")
    return found(dated.with_columns(as_of_day=as_of), lake.read(Users), meanings)


def _ask(lake: Lake, _facts: Facts) -> pl.DataFrame:
    return _of(lake, OF_DIRECTORY)


def _ask_idle(lake: Lake, _facts: Facts) -> pl.DataFrame:
    return _of(lake, OF_USE)


def _believed_until(lake: Lake, facts: Facts) -> date:
    """Return no day where members were judged by no directory, although there is one."""
    people = lake.read(Seats).filter(seat_kind="user")
    is_doubted = bool(facts.settings.directory.files) and people["status"].has_nulls()
    return date.min if is_doubted else date.max


QUESTIONS = (
    Question((LEAVER, UNMATCHED), (Seats, Users), _ask, _believed_until),
    Question((IDLE,), (Seats, Users), _ask_idle),
)
