"""What the incidents say: candidates for `mart.findings`, in words with numbers."""

from calendar import monthrange
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import dollars, signed_dollars
from openai_costs.questions.anomalies.cause_texts import causes_in_words
from openai_costs.questions.anomalies.incidents import GAP_DAYS, LASTING_GAP_DAYS
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies

SPIKE = Rule(
    "anomalies.spike",
    title="Spend of {who} was {usd} above expected {when}",
    quiet_days=GAP_DAYS,
)
AWAKE = Rule(
    "anomalies.awake_at_the_weekend",
    title="Spend of {who} outside its usual days of the week was {usd} above expected {when}",
    quiet_days=GAP_DAYS,
)
NEW_SPENDER = Rule(
    "anomalies.new_spender",
    title="Spend of the new {who} was {usd} above expected {when}",
    quiet_days=GAP_DAYS,
)
DROP = Rule(
    "anomalies.drop",
    title="Spend of {who} stopped: {usd} below expected {when}",
    quiet_days=GAP_DAYS,
)
LEVEL_SHIFT = Rule(
    "anomalies.level_shift",
    title="Daily spend of {who} rose to a higher level: {usd} above expected {when}",
    quiet_days=LASTING_GAP_DAYS,
)
SLOW_LEAK = Rule(
    "anomalies.slow_leak",
    title="Daily spend of {who} rose slowly: {usd} above expected {when}",
    quiet_days=LASTING_GAP_DAYS,
)


class Meaning(NamedTuple):
    """What a kind of anomaly is called and says."""

    rule: Rule
    says: str
    goes_on: bool = False


MEANINGS = {
    "spike": Meaning(SPIKE, "is far above its past"),
    "awake": Meaning(
        AWAKE, "is awake at a time of the week at which it was silent for eight weeks"
    ),
    "new_entity": Meaning(NEW_SPENDER, "is new and spends from the start", goes_on=True),
    "drop": Meaning(DROP, "has stopped, although it spent every day"),
    "level_shift": Meaning(LEVEL_SHIFT, "has risen and stays there", goes_on=True),
    "leak": Meaning(SLOW_LEAK, "rises a little day after day", goes_on=True),
}


def found(anomalies: pl.DataFrame, critical_usd: Decimal) -> pl.DataFrame:
    """Return a candidate per incident.

    Args:
        anomalies: mart.spend_anomalies.
        critical_usd: From how many dollars an incident is critical.
    """
    told = anomalies.filter("is_told").sort("incident_id", "connection", "day")
    by_incident = told.partition_by("incident_id", maintain_order=True)
    rows = [_said(days.rows(named=True), critical_usd) for days in by_incident]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def _said(days: Sequence[dict[str, Any]], critical_usd: Decimal) -> dict[str, Any]:
    newest, meaning = days[-1], MEANINGS[days[-1]["kind"]]
    impact = sum((day["impact_usd"] for day in days), Decimal(0))
    is_drop = newest["direction"] == "down"
    same = ("connection", "day", "since_day")
    return {
        "rule": meaning.rule.id,
        "severity": "info" if is_drop else _severity(impact, critical_usd),
        "subject_kind": newest["series_kind"],
        "subject_id": newest["series_id"],
        "subject_name": newest["series_name"],
        **{name: newest[name] for name in same},
        "observed": newest["actual_usd"],
        "expected": newest["expected_usd"],
        "threshold": newest["lower_usd" if is_drop else "upper_usd"],
        "unit": "USD",
        "impact_usd": impact,
        "because": _because(days, meaning, impact),
        "outlook": _outlook(newest) if meaning.goes_on else None,
        "owner": newest["team"] or newest["owner"],
        "table_name": SpendAnomalies.full_name(),
    }


def _severity(impact: Decimal, critical_usd: Decimal) -> str:
    return "critical" if impact >= critical_usd else "warning"


def _because(days: Sequence[dict[str, Any]], meaning: Meaning, impact: Decimal) -> str:
    newest = days[-1]
    side = "above" if newest["direction"] == "up" else "below"
    return (
        f"The {_subject(newest)} {meaning.says}: {dollars(newest['actual_usd'])} on "
        f"{newest['day']}, expected {dollars(newest['expected_usd'])} ({_range(newest)}). "
        f"{dollars(abs(impact))} {side} what was expected, on {_count(len(days))} since "
        f"{newest['since_day']}. {causes_in_words(day['causes'] for day in days)}"
    )


def _subject(day: dict[str, Any]) -> str:
    name, owner = day["series_name"] or day["series_id"], day["owner"]
    of = f" of {owner}" if owner and owner not in (name, day["series_id"]) else ""
    return f"{day['series_kind'].replace('_', ' ')} {name}{of}"


def _range(day: dict[str, Any]) -> str:
    """What a single day may cost; a rise that lasts may stay within it."""
    span = f"{dollars(day['lower_usd'])} to {dollars(day['upper_usd'])}"
    is_within = day["lower_usd"] <= day["actual_usd"] <= day["upper_usd"]
    lasts = is_within and day["kind"] != "new_entity"
    return f"one day may be {span}, but this lasts" if lasts else f"as usual: {span}"


def _count(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _outlook(newest: dict[str, Any]) -> str | None:
    """What the rest of the month costs more, if every day is like the newest."""
    day = newest["day"]
    left = monthrange(day.year, day.month)[1] - day.day
    if not left:
        return None
    more = signed_dollars(left * newest["impact_usd"])
    return f"{more} by the end of the month, if the rest of it ({_count(left)}) is like {day}."


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    return found(lake.read(SpendAnomalies), facts.settings.anomalies.critical_usd)


QUESTION = Question(
    rules=tuple(meaning.rule for meaning in MEANINGS.values()),
    reads=(SpendAnomalies, Spend),
    ask=_ask,
)
