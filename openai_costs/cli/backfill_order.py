"""The order of a backfill: the newest month first, then back until nothing is there.

A newcomer sees this month's numbers within a minute, and history follows; where a minute is enough
for history too, all is published once. A connection without `start` is read back window by window,
until a whole window holds no costs.

Not here: which days are due (backfill_plan.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from openai_costs.cli.backfill_plan import Step
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.sources.account_notes import refused
from openai_costs.sources.due_days import EMPTY_DAYS, first_owed_day
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend

NEWEST_DAYS = 31
"""So many days are read before older ones, and published where those take a while."""


def newest_first(steps: Iterable[Step]) -> list[Step]:
    """Return the same days as steps with the newest days first.

    Requests for more than a month are cut: the newest month, then the rest; an open step's rest in
    windows, so that reading can stop at an empty one.

    Args:
        steps: The plan, in any order.
    """
    widened = _widened(list(steps))
    newest = max((_first_of_newest(step.days) for step in widened), default=date.min)
    parts = (part for step in widened for part in _parts(step, newest))
    return sorted(_joined(parts), key=lambda step: step.days.last, reverse=True)


def publications(steps: Sequence[Step]) -> list[Sequence[Step]]:
    """Return ordered steps in groups, each of which may be published before the next one is read.

    Days of history worth a month or more are a second group.
    """
    if not steps:
        return []
    newest = steps[0].days.newest(NEWEST_DAYS)
    first = [step for step in steps if step.days.last >= newest.first]
    rest = steps[len(first) :]
    is_long = sum(len(step.days) for step in rest) >= NEWEST_DAYS
    return [first, rest] if is_long else [steps]


def past_the_beginning(step: Step, lake: Lake) -> tuple[Step | None, list[str]]:
    """Return what is left of a window, and why the other connections are not read, in sentences.

    Args:
        step: The window.
        lake: What is stored: the window after this one among it.

    Returns:
        The window for the connections that may have costs in it; None where none may.
    """
    if not step.is_open:
        return step, []
    slices, left, reasons = lake.slices(Spend), list[str](), list[str]()
    archive = Archive(place(step.settings.home))
    for connection in step.settings.asked_connections:
        name = connection.name
        if (why := refused(archive, step.settings, connection)) and why.holder:
            counts = f"{why.holder} counts its organization"
            reasons.append(f"{name}: {counts}, so older days are not read twice.")
            continue
        first = first_owed_day(slices, name)
        if first is None or first <= step.days.last:
            left.append(name)
            continue
        empty = DayRange(first, first + ONE_DAY * (EMPTY_DAYS - 1))
        reasons.append(
            f"{name}: no costs {empty.span}, so older days are not read. If there are older "
            f"costs, set `start` of {name!r} to the day they begin."
        )
    if not reasons:
        return step, []
    return step._replace(settings=step.settings.only(*left)) if left else None, reasons


def _widened(steps: list[Step]) -> list[Step]:
    """Return the plan with its newest days as one step, where all connections owe them."""
    newest = max(steps, key=lambda step: step.days.last, default=None)
    others = [step for step in steps if step is not newest]
    if newest is None or newest.job_name != REFRESH:
        return steps
    joined, first = newest.days.first, _first_of_newest(newest.days)
    asked = {one.name for one in newest.settings.asked_connections}
    before = [step for step in others if _touches(step, joined)]
    owing = {one.name for step in before for one in step.settings.asked_connections}
    if owing != asked or any(step.days.first > first for step in before):
        return steps
    rest = [step for step in others if step not in before]
    cut = [_cut(step, first - ONE_DAY) for step in before if step.days.first < first]
    return [*rest, *cut, newest._replace(days=DayRange(first, newest.days.last))]


def _joined(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps of single connections that are about the very same days as one step."""
    alike: dict[tuple[str, DayRange, bool], list[Step]] = {}
    for step in steps:
        alike.setdefault((step.job_name, step.days, step.is_open), []).append(step)
    for first, *others in alike.values():
        names = [one.name for step in (first, *others) for one in step.settings.asked_connections]
        yield first._replace(settings=first.settings.only(*names)) if others else first


def _touches(step: Step, day: date) -> bool:
    return step.job_name == REFRESH and step.days.last == day - ONE_DAY


def _cut(step: Step, last: date) -> Step:
    return step._replace(days=DayRange(step.days.first, last))


def _first_of_newest(days: DayRange) -> date:
    return days.last - ONE_DAY * (NEWEST_DAYS - 1)


def _parts(step: Step, newest: date) -> Iterator[Step]:
    """Yield a step as its newest days and the rest; the rest in windows where it may stop."""
    last = step.days.last
    if step.job_name != REFRESH:
        yield step
        return
    if last >= newest:
        first = max(step.days.first, newest)
        yield step._replace(days=DayRange(first, last))
        last = first - ONE_DAY
    while last >= step.days.first:
        rest = DayRange(step.days.first, last)
        window = rest.newest(EMPTY_DAYS) if step.is_open else rest
        yield step._replace(days=window)
        last = window.first - ONE_DAY
