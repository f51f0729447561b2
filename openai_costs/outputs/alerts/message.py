"""What a person reads: dollars before percent, who, why, since when, and what silences it. Pure.

Not here: how a channel lays it out (channels/), who gets it (delivery_queue.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from openai_costs.kernel.redaction import redacted, without_secrets
from openai_costs.outputs.alerts.rows import Change, Finding
from openai_costs.tables.candidate import EVERY_CONNECTION, SEVERITIES

LONGEST = 600
"""Characters of a sentence that come from outside: a name or a reason is never a page."""

_CENT = Decimal("0.01")


class Line(NamedTuple):
    """A labelled sentence of a message."""

    label: str
    said: str


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
        facts: The same for programs.
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
    is_possibly_repeated: bool = False

    @property
    def text(self) -> str:
        """Return the whole message as plain text; a line without a label begins anew."""
        said = (f"{one.label}: {one.said}" if one.label else f"\n{one.said}" for one in self.lines)
        return "\n".join((self.title, *said))


def message(
    finding: Finding, change: Change, *, dagster_url: str | None, is_possibly_repeated: bool = False
) -> Message:
    """Return the message about one change of a finding."""
    link = _link(finding, change, dagster_url)
    made = Message(
        key=finding.finding_id,
        number=f"{finding.finding_id}-{change.change}",
        kind=change.kind,
        severity=change.severity,
        title=_title(finding, change),
        lines=list(_lines(finding, change, link)),
        link=link,
        facts=_facts(finding, change),
    )
    return repeated(made) if is_possibly_repeated else made


def digest(route: str, messages: Sequence[Message]) -> Message:
    """Return several messages as one, the worst first."""
    worst = sorted(messages, key=lambda one: -SEVERITIES.index(one.severity))
    lines = [line for one in worst for line in (Line("", one.title), *_short(one))]
    numbers = sorted(one.number for one in messages)
    return Message(
        key=f"digest-{route}",
        number=f"{route}-{numbers[0]}-{len(numbers)}",
        kind="digest",
        severity=worst[0].severity,
        title=_digested(worst),
        lines=lines,
        facts={"changes": ", ".join(numbers)},
        is_possibly_repeated=any(one.is_possibly_repeated for one in messages),
    )


def _digested(worst: Sequence[Message]) -> str:
    """Return the title of several messages: it has the dollars of the worst."""
    many, first = len(worst), worst[0].title
    return f"{many} changes of findings, the worst: {first}" if many > 1 else f"1 change: {first}"


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
        lines=[Line(line.label, inner(line.said)) for line in made.lines],
        facts={name: said and inner(said) for name, said in made.facts.items()},
    )


def _title(finding: Finding, change: Change) -> str:
    who = _who(finding)
    if change.kind == "closed":
        return f"Closed: {finding.rule}, {who}"
    if change.kind == "muted":
        return f"Muted: {finding.rule}, {who}"
    first = "Growing" if change.kind == "growing" else change.severity.capitalize()
    at_stake = f"{_usd(change.impact_usd)}, " if change.impact_usd is not None else ""
    return f"{first}: {at_stake}{finding.rule}, {who}"


def _who(finding: Finding) -> str:
    kind = finding.subject_kind.replace("_", " ")
    name = one_line(finding.subject_name or finding.subject_id)
    where = f" in {finding.connection}" if finding.connection != EVERY_CONNECTION else ""
    return f"{kind} {name}{where}"


def _lines(finding: Finding, change: Change, link: str) -> Iterable[Line]:
    if (measured := _measured(change)) is not None:
        yield Line("Measured", measured)
    yield Line("Why", one_line(change.because))
    if change.kind == "closed":
        yield Line("Over", f"it held {_spell(finding, change)}, and no longer does")
    else:
        yield Line("Since", _spell(finding, change))
    if change.outlook and change.kind != "closed":
        yield Line("By period end", one_line(change.outlook))
    yield Line("Owner", one_line(finding.owner) if finding.owner else "nobody is known")
    if finding.subject_name and finding.subject_name != finding.subject_id:
        yield Line("Id", one_line(finding.subject_id))
    yield Line("Details", link or finding.docs)
    if change.kind != "closed":
        yield Line("Silence", _silence(finding))


def _measured(change: Change) -> str | None:
    """Return what was seen, with what was expected: amounts first, then percent."""
    if change.observed is None:
        return None
    if not change.expected:  # none is known, or none at all: there is nothing to compare with
        return f"{_amount(change.observed, change.unit)} on {change.day}"
    against = _amount(change.expected, change.unit)
    said = f"{_amount(change.observed, change.unit)} against {against} expected"
    if change.expected > 0:
        percent = (change.observed - change.expected) / change.expected * 100
        said += f" ({percent.quantize(Decimal(1), ROUND_HALF_UP):+,} %)"
    return said


def _spell(finding: Finding, change: Change) -> str:
    if finding.since_day >= change.day:
        return f"on {change.day}" if change.kind == "closed" else str(change.day)
    days = (change.day - finding.since_day).days + 1
    if change.kind == "closed":
        return f"from {finding.since_day} to {change.day}"
    return f"{finding.since_day}, {days} days up to {change.day}"


def _silence(finding: Finding) -> str:
    return f'openai-costs mute {finding.finding_id} --reason "..." --until YYYY-MM-DD'


def _link(finding: Finding, change: Change, dagster_url: str | None) -> str:
    if not dagster_url:
        return ""
    path = finding.table_name.replace(".", "/")
    return f"{dagster_url.rstrip('/')}/assets/{path}?partition={change.day}"


def _short(one: Message) -> list[Line]:
    return [line for line in one.lines if line.label in ("Why", "Owner", "Details", "Silence")]


def _facts(finding: Finding, change: Change) -> dict[str, str | None]:
    """Return the fields of a finding for programs; numbers as text, so that no digit is lost."""
    of_finding = ("rule", "subject_kind", "subject_id", "subject_name", "connection", "since_day")
    more = ("finding_id", "owner", "table_name", "docs", "threshold", "opened_day")
    of_change = ("change", "kind", "severity", "day", "observed", "expected")
    words = ("unit", "impact_usd", "because", "outlook")
    pairs = [(finding, of_finding + more), (change, of_change + words)]
    return {name: _text(getattr(row, name)) for row, names in pairs for name in names}


def _text(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _amount(value: Decimal, unit: str) -> str:
    if unit == "USD":
        return _usd(value)
    plain = f"{value.normalize():,f}"
    unit = unit.removesuffix("s") if value == 1 else unit
    return f"{plain} {unit}".strip()


def _usd(value: Decimal) -> str:
    return f"{value.quantize(_CENT, ROUND_HALF_UP):,f} USD"


def one_line(text: str) -> str:
    """Return foreign text as one printable line of bounded length."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."
