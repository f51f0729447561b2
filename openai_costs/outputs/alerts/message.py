"""What a person reads: what happened in dollars, who, since when, why, and what to do next. Pure.

Not here: several messages as one (digest.py), how a channel lays it out (channels/), who receives
it (delivery_queue.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from openai_costs.kernel.formatting import counted
from openai_costs.kernel.redaction import redacted, without_secrets
from openai_costs.kernel.visible_text import visible
from openai_costs.outputs.alerts.rows import Change, Finding
from openai_costs.outputs.alerts.titles import (
    next_step_of,
    observed_of,
    one_line,
    title_of,
)
from openai_costs.outputs.finding_view import view_of
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION

_OF_FINDING = (
    *("rule", "subject_kind", "subject_id", "subject_name", "connection", "since_day"),
    *("finding_id", "owner", "table_name", "docs", "threshold", "opened_day"),
)
_OF_CHANGE = (
    *("change", "kind", "severity", "day", "observed", "expected"),
    *("unit", "impact_usd", "because", "outlook"),
)
FACTS = (*_OF_FINDING, *_OF_CHANGE)
"""The names of what a message holds for programs."""
ID_LABELS = {"api_key": "API key id", "project": "Project id", "user": "User id"}
"""What the provider gives an id to, by which it is looked up there; others have names alone."""


class Addresses(NamedTuple):
    """Where people open what a message speaks of; None where no address is known.

    Args:
        page: The page, as `openai-costs serve` or another web server gives it.
        dagster: The Dagster UI.
    """

    page: str | None = None
    dagster: str | None = None


NO_ADDRESSES = Addresses()


class Line(NamedTuple):
    """A labelled text of a message; without a label it is the heading of what follows.

    Args:
        label: What the text is; one of our words, never a name.
        text: The text.
        link: Where the text leads; empty where it leads nowhere.
        is_address: Whether the text is an address that we made: of ids alone, also of an `api_key`.
    """

    label: str
    text: str
    link: str = ""
    is_address: bool = False


class Picture(NamedTuple):
    """A picture of a message, for channels that can show one.

    Args:
        png: The file.
        size: Width and height that it is shown in.
        alt: What it shows, in words.
        instead_of: The label of the line that says the same in text.
    """

    png: bytes
    size: tuple[int, int]
    alt: str
    instead_of: str


@dataclass(frozen=True)
class Message:
    """One message.

    Args:
        key: The same for every message about a finding, so that a receiver can keep them together.
        number: The same for a message and its repetition, and for no other.
        kind: opened, growing, closed, muted, digest or weekly.
        severity: info, warning or critical.
        title: One line.
        lines: The rest.
        link: Where the evidence is; empty when no address is known.
        facts: The same for programs; of a digest only the numbers of its messages.
        impact_usd: The dollars at stake; zero when it is not about money.
        is_possibly_repeated: Whether it may have arrived before.
        picture: A picture of it, where there is one.
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
    picture: Picture | None = None

    @property
    def resolves(self) -> bool:
        """Whether an incident about the same is over."""
        return self.kind in {"closed", "muted"}

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
    at: Addresses = NO_ADDRESSES,
    is_possibly_repeated: bool = False,
) -> Message:
    """Return the message about one change of a finding."""
    then = at_change(finding, change)
    link = _link(then, at)
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


def repeated(made: Message) -> Message:
    """Return a message that says it may have arrived before."""
    return replace(made, title=f"{made.title} (possibly repeated)", is_possibly_repeated=True)


def clean(made: Message, *, allow_email: bool) -> Message:
    """Return a message without keys and, by default, e-mail addresses; nothing in it is hidden."""

    def inner(text: str) -> str:
        return visible(without_secrets(text) if allow_email else redacted(text))

    return replace(
        made,
        title=" ".join(inner(made.title).split()),  # the subject of a letter is one line
        lines=[
            line if line.is_address else line._replace(text=inner(line.text)) for line in made.lines
        ],
        facts={name: text and inner(text) for name, text in made.facts.items()},
        picture=made.picture and made.picture._replace(alt=inner(made.picture.alt)),
    )


def _first_word(change: Change) -> str:
    return change.severity.capitalize() if change.kind == "opened" else change.kind.capitalize()


def _lines(then: Finding, change: Change, rule: Rule, link: str) -> Iterable[Line]:
    if observed := observed_of(then, rule):
        yield Line("Observed", observed)
    if then.connection != EVERY_CONNECTION:
        yield Line("Connection", then.connection)
    if change.kind == "closed":
        yield Line("Ended", _duration(then))
    else:
        yield Line("Since", _duration(then))
    yield Line("Why it was open" if change.kind == "closed" else "Why", one_line(then.because))
    if then.outlook and change.kind != "closed":
        yield Line("Outlook", one_line(then.outlook))
    if change.kind != "closed" and (step := next_step_of(then, rule)):
        yield Line("Next step", step)
    yield Line("Owner", one_line(then.owner) if then.owner else "unknown")
    if then.subject_name and then.subject_kind in ID_LABELS:
        yield Line(ID_LABELS[then.subject_kind], one_line(then.subject_id))
    yield Line("Details", link or then.docs, is_address=True)
    if change.kind != "closed":
        yield Line("Acknowledge", f"openai-costs acknowledge {then.finding_id} --by NAME")
        yield Line("Mute", _mute_command(then))
    yield Line("Rule", then.rule)


def _duration(then: Finding) -> str:
    """Return the first and the last day of the condition, and how many days that is."""
    if then.since_day >= then.day:
        return str(then.day)
    days = counted((then.day - then.since_day).days + 1, "day")
    return f"{then.since_day} to {then.day} ({days})"


def _mute_command(then: Finding) -> str:
    return f'openai-costs mute {then.finding_id} --reason "..." --until YYYY-MM-DD'


def _link(then: Finding, at: Addresses) -> str:
    """Return the address of the dollars on the page, or else of the evidence in Dagster."""
    if at.page:
        return f"{at.page}{view_of(then)}"
    if not at.dagster:
        return ""
    path = then.table_name.replace(".", "/")
    return f"{at.dagster.rstrip('/')}/assets/{path}?partition={then.day}"


def _facts(then: Finding, change: Change) -> dict[str, str | None]:
    """Return the fields of a finding for programs; numbers as text, so that no digit is lost."""
    pairs = ((then, _OF_FINDING), (change, _OF_CHANGE))
    return {name: _text(getattr(row, name)) for row, names in pairs for name in names}


def _text(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
