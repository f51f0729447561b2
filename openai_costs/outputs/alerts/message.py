"""What a person reads: what happened in dollars, who, since when, why, and what to do next. Pure.

Not here: how a channel lays it out (channels/), who receives it (delivery_queue.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from openai_costs.kernel.formatting import counted
from openai_costs.kernel.redaction import redacted, without_secrets
from openai_costs.outputs.alerts.rows import Change, Finding
from openai_costs.outputs.alerts.titles import amount, one_line, span_of, title_of
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION, SEVERITIES

_IN_DIGEST = ("Connection", "Why", "Owner", "Details", "Mute", "Rule")
"""The lines of a message that a digest repeats."""


class Line(NamedTuple):
    """A labelled text of a message; without a label it is the heading of what follows."""

    label: str
    text: str


@dataclass(frozen=True)
class Message:
    """One message.

    Args:
        key: The same for every message about a finding, so that a receiver can keep them together.
        number: The same for a message and its repetition, and for no other.
        kind: opened, growing, closed, muted or digest.
        severity: info, warning or critical.
        title: One line.
        lines: The rest.
        link: Where the evidence is; empty when no address is known.
        facts: The same for programs; of a digest only the numbers of its messages.
        impact_usd: The dollars at stake; zero when it is not about money.
        is_possibly_repeated: Whether it may have arrived before.
    """

    key: str
    number: str
    kind: str
    severity: str
    title: str
    lines: Sequence[Line]
    link: str = ""
    facts: Mapping[str, str | None] = field(default_factory=dict)
    impact_usd: Decimal = Decimal(0)
    is_possibly_repeated: bool = False

    @property
    def text(self) -> str:
        """Return the whole message as plain text; a heading has an empty line before it."""
        texts = (f"{one.label}: {one.text}" if one.label else f"\n{one.text}" for one in self.lines)
        return "\n".join((self.title, *texts))


def message(
    finding: Finding,
    change: Change,
    rule: Rule,
    *,
    dagster_url: str | None,
    is_possibly_repeated: bool = False,
) -> Message:
    """Return the message about one change of a finding."""
    then = at_change(finding, change)
    link = _link(then, dagster_url)
    made = Message(
        key=finding.finding_id,
        number=f"{finding.finding_id}-{change.change}",
        kind=change.kind,
        severity=change.severity,
        title=f"{_first_word(change)}: {title_of(then, rule)}",
        lines=list(_lines(then, change, rule, link)),
        link=link,
        facts=_facts(then, change),
        impact_usd=abs(change.impact_usd or Decimal(0)),
    )
    return repeated(made) if is_possibly_repeated else made


def at_change(finding: Finding, change: Change) -> Finding:
    """Return a finding with the numbers it had when a change happened."""
    return replace(
        finding,
        severity=change.severity,
        day=change.day,
        observed=change.observed,
        expected=change.expected,
        unit=change.unit,
        impact_usd=change.impact_usd,
        because=change.because,
        outlook=change.outlook,
    )


def digest(route: str, messages: Sequence[Message]) -> Message:
    """Return several messages as one: the most dollars first, and each subject once."""
    ordered = sorted(messages, key=_by_dollars)
    numbers = sorted(one.number for one in messages)
    return Message(
        key=f"digest-{route}",
        number=f"{route}-{numbers[0]}-{len(numbers)}",
        kind="digest",
        severity=max((one.severity for one in messages), key=SEVERITIES.index),
        title=_digest_title(ordered),
        lines=[line for group in _by_subject(ordered) for line in _section(group)],
        facts={"changes": ", ".join(numbers)},
        impact_usd=ordered[0].impact_usd,
        is_possibly_repeated=any(one.is_possibly_repeated for one in messages),
    )


def repeated(made: Message) -> Message:
    """Return a message that says it may have arrived before."""
    return replace(made, title=f"{made.title} (possibly repeated)", is_possibly_repeated=True)


def clean(made: Message, *, allow_email: bool) -> Message:
    """Return a message without anything that looks like a key or, by default, an address."""

    def inner(text: str) -> str:
        return without_secrets(text) if allow_email else redacted(text)

    return replace(
        made,
        title=inner(made.title),
        lines=[Line(line.label, inner(line.text)) for line in made.lines],
        facts={name: text and inner(text) for name, text in made.facts.items()},
    )


def _first_word(change: Change) -> str:
    return change.severity.capitalize() if change.kind == "opened" else change.kind.capitalize()


def _lines(then: Finding, change: Change, rule: Rule, link: str) -> Iterable[Line]:
    if observed := _observed(then, rule):
        yield Line("Observed", observed)
    if then.connection != EVERY_CONNECTION:
        yield Line("Connection", then.connection)
    if change.kind == "closed":
        yield Line("Ended", _duration(then))
    else:
        yield Line("Since", _duration(then))
    yield Line("Why", one_line(then.because))
    if then.outlook and change.kind != "closed":
        yield Line("Outlook", one_line(then.outlook))
    yield Line("Owner", one_line(then.owner) if then.owner else "unknown")
    if then.subject_name and then.subject_name != then.subject_id:
        yield Line("Id", one_line(then.subject_id))
    yield Line("Details", link or then.docs)
    if change.kind != "closed":
        yield Line("Mute", _mute_command(then))
    yield Line("Rule", then.rule)


def _observed(then: Finding, rule: Rule) -> str:
    """Return what was observed, of which days, and against what: amounts before percent."""
    span = span_of(then, rule)
    if then.observed is None or not span:
        return ""
    text = f"{amount(then.observed, then.unit)} {span}"
    if not then.expected:  # unknown, or none at all: there is nothing to compare with
        return text
    text += f", against {amount(then.expected, then.unit)} expected"
    if then.expected > 0:
        percent = (then.observed - then.expected) / then.expected * 100
        text += f" ({percent.quantize(Decimal(1), ROUND_HALF_UP):+,} %)"
    return text


def _duration(then: Finding) -> str:
    """Return the first and the last day of the condition, and how many days that is."""
    if then.since_day >= then.day:
        return str(then.day)
    days = counted((then.day - then.since_day).days + 1, "day")
    return f"{then.since_day} to {then.day} ({days})"


def _mute_command(then: Finding) -> str:
    return f'openai-costs mute {then.finding_id} --reason "..." --until YYYY-MM-DD'


def _link(then: Finding, dagster_url: str | None) -> str:
    if not dagster_url:
        return ""
    path = then.table_name.replace(".", "/")
    return f"{dagster_url.rstrip('/')}/assets/{path}?partition={then.day}"


def _by_dollars(one: Message) -> tuple[bool, Decimal, int]:
    """What is closed or muted comes last; then the most dollars, then the severity."""
    return (one.kind in ("closed", "muted"), -one.impact_usd, -SEVERITIES.index(one.severity))


def _digest_title(ordered: Sequence[Message]) -> str:
    first = ordered[0].title
    if len(ordered) == 1:
        return f"1 finding changed. {first}"
    return f"{len(ordered)} findings changed. The largest: {first}"


def _by_subject(ordered: Iterable[Message]) -> Iterable[list[Message]]:
    """Return the messages about one key or person together, at the place of the first."""
    groups: dict[tuple[object, ...], list[Message]] = {}
    for one in ordered:
        parts = ("connection", "subject_kind", "subject_id")
        subject = tuple(one.facts.get(part) for part in parts)
        groups.setdefault(subject if all(subject) else (one.number,), []).append(one)
    return groups.values()


def _section(group: Sequence[Message]) -> Iterable[Line]:
    """Yield the messages about one subject: the first with its lines, the others in short."""
    first, *others = group
    yield Line("", first.title)
    yield from (line for line in first.lines if line.label in _IN_DIGEST)
    for other in others:
        yield Line("Also", other.title)
        yield from (line for line in other.lines if line.label in ("Mute", "Rule"))


def _facts(then: Finding, change: Change) -> dict[str, str | None]:
    """Return the fields of a finding for programs; numbers as text, so that no digit is lost."""
    of_finding = ("rule", "subject_kind", "subject_id", "subject_name", "connection", "since_day")
    more = ("finding_id", "owner", "table_name", "docs", "threshold", "opened_day")
    of_change = ("change", "kind", "severity", "day", "observed", "expected")
    texts = ("unit", "impact_usd", "because", "outlook")
    pairs = [(then, of_finding + more), (change, of_change + texts)]
    return {name: _text(getattr(row, name)) for row, names in pairs for name in names}


def _text(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
