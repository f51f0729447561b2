"""Candidates for `mart.findings` about seats: one per seat and rule, without addresses."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.formatting import counted, dollars
from openai_costs.questions.coverage import newest_settled
from openai_costs.questions.namesakes import with_marks
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.questions.seats.seats import WINDOW_DAYS
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.seats import SHARED, Seats

PAGE = "docs/governance.md"
SPAN = "in the 30 days to {day}"
LEAVER = Rule(
    "seats.leaver_spends",
    title="{who}, who left according to the directory, still spent {usd} " + SPAN,
    span=SPAN,
    window_days=WINDOW_DAYS,
    is_after_since=True,
    quiet_days=0,
    next_step="Reassign or revoke the keys that they still own. If none is listed, ask their team "
    "what runs under their name.",
    page=PAGE,
)
UNMATCHED = Rule(
    "seats.unmatched",
    title="{who}, who was not in the company directory, spent {usd} " + SPAN,
    span=SPAN,
    window_days=WINDOW_DAYS,
    quiet_days=0,
    next_step="They may have another address: add it as an alias, or ask who invited them.",
    page=PAGE,
)
IDLE = Rule(
    "seats.idle",
    title="{who} did not use a seat that costs {usd} a month, as of {day}",
    span=SPAN,
    window_days=WINDOW_DAYS,
    quiet_days=0,
    next_step="Ask, then give the seat to someone else.",
    page=PAGE,
)


class Condition(NamedTuple):
    """A rule, its severity, and the seats for which it holds."""

    rule: Rule
    severity: str
    holds: pl.Expr


_IS_MEMBER = pl.col("is_current") & (pl.col("seat_kind") == "user")
_IS_STRANGER = (pl.col("status") == "unmatched") & pl.col("matched_by").ne_missing(SHARED)
OF_DIRECTORY = (
    Condition(LEAVER, "critical", pl.col("spend_after_left_usd") > 0),
    Condition(UNMATCHED, "warning", _IS_MEMBER & _IS_STRANGER),
)
"""Conditions that need a directory that can be trusted."""
OF_USE = (
    Condition(IDLE, "info", _IS_MEMBER & pl.col("is_idle") & pl.col("seat_usd").is_not_null()),
)
CONDITIONS = (*OF_DIRECTORY, *OF_USE)


def seat_candidates(
    seats: pl.DataFrame, users: pl.DataFrame, conditions: Sequence[Condition] = CONDITIONS
) -> pl.DataFrame:
    """Return a candidate per seat and rule.

    Args:
        seats: mart.seats. Without a directory that can be trusted, status is null and no one is
            flagged.
        users: core.users: since when a member is known, so that a finding begins on a fixed day.
        conditions: The rules.
    """
    known = users.select("connection", "first_seen_day", user_id="id")
    dated = seats.filter(pl.col("as_of_day").is_not_null()).join(
        known, on=["connection", "user_id"], how="left", maintain_order="left"
    )
    rows = [
        _candidate(condition, seat)
        for condition in conditions
        for seat in dated.filter(condition.holds).iter_rows(named=True)
    ]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def _candidate(condition: Condition, seat: dict[str, Any]) -> dict[str, Any]:
    name = None if "@" in (seat["name"] or "") else seat["name"]
    is_idle, is_leaver = condition.rule is IDLE, condition.rule is LEAVER
    spent = seat["spend_after_left_usd" if is_leaver else "spend_30d_usd"]
    return {
        "rule": condition.rule.id,
        "severity": condition.severity,
        "subject_kind": "user",
        "subject_id": seat["user_id"],
        "subject_name": name,
        "connection": seat["connection"],
        "day": seat["as_of_day"],
        "since_day": min(_since(condition.rule, seat) or seat["as_of_day"], seat["as_of_day"]),
        "observed": spent,
        "unit": "USD",
        "impact_usd": seat["seat_usd"] if is_idle else spent,
        "because": _because(condition.rule, seat, name or seat["user_id"]),
        "owner": seat["team"],
        "table_name": Seats.full_name(),
    }


def _since(rule: Rule, seat: dict[str, Any]) -> date | None:
    """Return a day that does not move: a finding that began today would be new every day."""
    first: dict[str, date | None] = {
        LEAVER.id: seat["left_day"],
        IDLE.id: seat["last_active_day"],
    }
    return first.get(rule.id) or seat["first_seen_day"]


def _because(rule: Rule, seat: dict[str, Any], who: str) -> str:
    if rule is LEAVER:
        return _because_of_leaving(seat, who)
    spent = dollars(seat["spend_30d_usd"])
    days = DayRange(seat["as_of_day"] - timedelta(days=WINDOW_DAYS - 1), seat["as_of_day"]).span
    if rule is UNMATCHED:
        return (
            f"{who} ({seat['role'] or 'member'}) is not in the company directory and spent {spent} "
            f"{days}; {_activity(seat)}."
        )
    return (
        f"{who} has a seat of {dollars(seat['seat_usd'])} a month (the contract price, an "
        f"assumption) and may not need it: they spent {spent} {days}; {_activity(seat)}."
    )


def _because_of_leaving(seat: dict[str, Any], who: str) -> str:
    """Return what was spent since a person left, of which days, and which keys are still theirs."""
    last, left_day = seat["as_of_day"], seat["left_day"]
    first = last - timedelta(days=WINDOW_DAYS - 1)
    left = f" on {left_day}" if left_day else ", without a day"
    days = DayRange(max(first, left_day + ONE_DAY) if left_day else first, last).span
    spent = dollars(seat["spend_after_left_usd"])
    return (
        f"The directory says {who} left{left}, but their keys spent {spent} {days}; "
        f"{_activity(seat)}. {_keys(seat)}"
    )


def _activity(seat: dict[str, Any]) -> str:
    last = seat["last_active_day"]
    return f"last active on {last}" if last else "no activity is known"


def _keys(seat: dict[str, Any]) -> str:
    """Return which keys a leaver still owns."""
    owned = (("api_keys", "API key"), ("admin_keys", "admin key"))
    keys = " and ".join(counted(seat[name], noun) for name, noun in owned if seat[name])
    if not keys:
        return "They own no key that is still listed."
    are_several = sum(seat[name] or 0 for name, _ in owned) > 1
    return f"They still own {keys}, and a service may use {'them' if are_several else 'it'}."


def _of(lake: Lake, facts: Facts, conditions: Sequence[Condition]) -> pl.DataFrame:
    settled = newest_settled(lake.read(Coverage))
    as_of = pl.when(pl.col("settled_until").is_not_null()).then(
        pl.min_horizontal("as_of_day", "settled_until")
    )
    seats = with_marks(lake.read(Seats), "name", pl.lit("user"), pl.col("user_id"), facts.marks)
    dated = seats.join(settled, on="connection", how="left", maintain_order="left")
    return seat_candidates(dated.with_columns(as_of_day=as_of), lake.read(Users), conditions)


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    return _of(lake, facts, OF_DIRECTORY)


def _ask_idle(lake: Lake, facts: Facts) -> pl.DataFrame:
    return _of(lake, facts, OF_USE)


def _judged_until(lake: Lake, facts: Facts) -> date:
    """Return no day while members were not judged although a directory is configured."""
    people = lake.read(Seats).filter(seat_kind="user")
    is_doubted = bool(facts.settings.directory.files) and people["status"].has_nulls()
    return date.min if is_doubted else date.max


QUESTIONS = (
    Question((LEAVER, UNMATCHED), (Seats, Users), _ask, _judged_until),
    Question((IDLE,), (Seats, Users), _ask_idle),
)
