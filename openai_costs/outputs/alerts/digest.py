"""Several messages as one: the most dollars first, and each subject once. Pure."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from openai_costs.outputs.alerts.message import Line, Message
from openai_costs.tables.candidate import SEVERITIES

_REPEATED = (
    *("Connection", "Why", "Why it was open", "Next step", "Owner", "Details"),
    *("Acknowledge", "Mute", "Rule"),
)
"""The lines of a message that a digest repeats."""

_THRESHOLD = re.compile(r"/[^/]*%$")
"""What makes a subject id of each threshold of a budget: `labs/2026-11-01/50%`."""


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


def _by_dollars(one: Message) -> tuple[bool, Decimal, int]:
    """What is closed or muted comes last; then the most dollars, then the severity."""
    return (one.kind in ("closed", "muted"), -one.impact_usd, -SEVERITIES.index(one.severity))


def _digest_title(ordered: Sequence[Message]) -> str:
    first, many = ordered[0].title, len({one.number.rpartition("-")[0] for one in ordered})
    if many == 1:
        return f"1 finding changed. {first}"
    return f"{many} findings changed. The largest: {first}"


def _by_subject(ordered: Iterable[Message]) -> Iterable[list[Message]]:
    """Return the messages about one key, person or budget together, at the place of the first."""
    groups: dict[tuple[str, ...], list[Message]] = {}
    for one in ordered:
        groups.setdefault(_subject(one), []).append(one)
    return groups.values()


def _subject(one: Message) -> tuple[str, ...]:
    parts = [one.facts.get(part) for part in ("connection", "subject_kind", "subject_id")]
    if not all(parts):
        return (one.number,)
    return tuple(_THRESHOLD.sub("", part or "") for part in parts)


def _section(group: Sequence[Message]) -> Iterable[Line]:
    """Yield the messages about one subject: the first with its lines, the others in short."""
    first, *others = group
    yield Line("", first.title)
    yield from (line for line in first.lines if line.label in _REPEATED)
    for other in others:
        yield Line("Also", other.title)
        yield from (line for line in other.lines if line.label in ("Acknowledge", "Mute", "Rule"))
