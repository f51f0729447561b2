"""The sentence that a finding is known by: dollars, who, since when. Pure.

The rule has the sentence (questions/rules.py); here its placeholders are filled. Not here: the rest
of a message (message.py).
"""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import dollars
from openai_costs.outputs.alerts.rows import Finding
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION

LONGEST = 600
"""Characters of a text that comes from outside: a name or a reason is never a page."""

_PERIOD = re.compile(r"/(\d{4}-\d{2}-\d{2})(?:/|$)")
"""The first day of a period, as a subject id names it: `labs/2026-11-01/50%`."""

_PERCENT = re.compile(r"/([\d.]+)%$")
"""The share of a limit, as a subject id names it."""

_SINCE = re.compile(r" \([^()]*\{since\}\)")
"""The first day in a title: left out where it is the day of the finding."""

_KINDS = {"api_key": "API key"}
"""Kinds of subjects whose column value is not the word for people."""


def title_of(finding: Finding, rule: Rule) -> str:
    """Return what happened as one sentence without a full stop."""
    began_before = finding.since_day < finding.day
    title = rule.title
    if rule.title_without_usd and not finding.impact_usd:
        title = rule.title_without_usd
    title = title if began_before else _SINCE.sub("", title)
    text = title.format_map(_parts(finding))
    return text[:1].upper() + text[1:]


def first_day_of(finding: Finding) -> date:
    """Return the first day of the period that the subject id names, or else of the incident."""
    period = _PERIOD.search(finding.subject_id)
    return date.fromisoformat(period[1]) if period else finding.since_day


def span_of(finding: Finding, rule: Rule) -> str:
    """Return the days of the observed number: `on 2026-11-20`; empty where a rule has none."""
    return rule.span.format_map(_parts(finding))


def next_step_of(finding: Finding, rule: Rule) -> str:
    """Return what to do next, as sentences; empty where the reason of the finding ends with it."""
    return rule.next_step.format_map(_parts(finding))


def amount(value: Decimal, unit: str) -> str:
    """Return a number with its unit: `$1,234.50`, `3 days`, `1 message`."""
    if unit == "USD":
        return dollars(value)
    unit = unit.removesuffix("s") if value == 1 else unit
    return f"{value.normalize():,f} {unit}".strip()


def one_line(text: str) -> str:
    """Return foreign text as one printable line of bounded length."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."


def _parts(finding: Finding) -> dict[str, str]:
    """Return the texts of the placeholders; a sum of many days names its first and last day."""
    kind = _KINDS.get(finding.subject_kind, finding.subject_kind.replace("_", " "))
    name = one_line(finding.subject_name or finding.subject_id)
    is_everywhere = finding.connection == EVERY_CONNECTION
    percent = _PERCENT.search(finding.subject_id)
    return {
        "who": f"{kind} {name}",
        "name": name,
        "owner": one_line(finding.owner) if finding.owner else "its owner",
        "or_revoke": _or_revoke(finding, name),
        "connection": "all connections" if is_everywhere else finding.connection,
        "usd": dollars(abs(finding.impact_usd or Decimal(0))),
        "observed": _amount_or_none(finding.observed, finding.unit),
        "threshold": _amount_or_none(finding.threshold, finding.unit),
        "percent": f"{percent[1]} %" if percent else "",
        "since": str(min(finding.since_day, finding.day)),
        "day": str(finding.day),
        "when": _until(finding.since_day, finding.day),
        "period": _until(first_day_of(finding), finding.day),
        "outlook": one_line(finding.outlook or "nothing is forecast").rstrip("."),
    }


def _or_revoke(finding: Finding, name: str) -> str:
    if finding.subject_kind != "api_key":
        return ""
    key = name if name == finding.subject_id else f"{name} ({finding.subject_id})"
    return f" If no one expects it, revoke API key {key}."


def _until(first: date, last: date) -> str:
    return DayRange(min(first, last), last).span


def _amount_or_none(value: Decimal | None, unit: str) -> str:
    return "" if value is None else amount(value, unit)


def observed_of(then: Finding, rule: Rule) -> str:
    """Return what was observed, of which days, and against what: amounts before percent."""
    span = span_of(then, rule)
    if then.observed is None or not span:
        return ""
    text = f"{amount(then.observed, then.unit)} {span}"
    if not then.expected:  # unknown, or none at all: there is nothing to compare with
        return text
    text += f", against {amount(then.expected, then.unit)} {rule.compared}"
    if then.expected > 0:
        percent = (then.observed - then.expected) / then.expected * 100
        text += f" ({percent.quantize(Decimal(1), ROUND_HALF_UP):+,} %)"
    return text
