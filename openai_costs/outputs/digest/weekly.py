"""The weekly digest as a message: the first screen of the page, sentence by sentence. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from openai_costs.kernel.formatting import dollars_of
from openai_costs.outputs.alerts.delivery_queue import WEEKLY
from openai_costs.outputs.alerts.message import Line, Message, Picture
from openai_costs.outputs.digest.picture import SIZE, picture
from openai_costs.outputs.report.month_days import MonthDay
from openai_costs.outputs.report.page_model import FirstScreen, PageModel

DAY_BY_DAY = "Day by day"
_BARS = "▁▂▃▄▅▆▇█"
_UNREAD = "·"


def weekly_message(page: PageModel, week: date, route: str, page_url: str | None) -> Message:
    """Return the digest of a week.

    Args:
        page: The page model, with at least one day that was read.
        week: The day it is due.
        route: The name of the route, which makes its number the only one.
        page_url: Where people open the page; None where that is not known.
    """
    month = page.first.month
    title = f"{month.name} so far: {month.spent}"
    if month.outlook:
        title += f"; {month.expected} expected by {_end(page.first)}"
    return Message(
        key=WEEKLY,
        number=f"{WEEKLY}-{week}-{route}",
        kind=WEEKLY,
        severity="info",
        title=title,
        lines=list(_lines(page, page_url or "")),
        link=page_url or "",
        facts=_facts(page, week),
        picture=_picture(page.first),
    )


def spark(days: Sequence[MonthDay]) -> str:
    """Return the days so far as bars of text; a day that was not read is a dot."""
    read = [one.cents for one in days if one.cents is not None]
    if not read:
        return ""
    last = max(i for i, one in enumerate(days) if one.cents is not None)
    most, top = max(1, *read), len(_BARS) - 1
    return "".join(
        _UNREAD if one.cents is None else _BARS[top * max(0, one.cents) // most]
        for one in days[: last + 1]
    )


def _lines(page: PageModel, page_url: str) -> Iterator[Line]:
    if page.is_invented:
        yield Line("Note", "These numbers are of an invented company.")
    yield from _month(page.first)
    yield from _moved(page.first, page_url)
    yield from _decided(page.first, page_url)
    yield from _saved(page.first, page_url)
    yield Line("", "Can I believe it?")
    yield Line("Data", page.completeness)
    yield Line("Checks", "; ".join(one.text for one in page.first.trust))
    if page.notice:
        yield Line("Note", page.notice)
    if page_url:
        yield Line("Details", page_url)


def _month(first: FirstScreen) -> Iterator[Line]:
    month = first.month
    yield Line("So far", f"{month.spent} {month.through}")
    ahead = f"{month.expected}; {month.band}" if month.outlook else month.band
    yield Line(month.expected_by, ahead)
    yield Line(month.before, f"{month.change} ({month.change_note})")
    if month.budget:
        yield Line("Budget", month.budget.sentence)
    yield Line(DAY_BY_DAY, spark(first.days))


def _moved(first: FirstScreen, page_url: str) -> Iterator[Line]:
    yield Line("", "What moved it")
    for one in first.movers.shown:
        text = f"{one.change} {one.name}"
        yield Line(_capital(one.kind), text, _link(page_url, one.address))
    if first.movers.rest:
        label, _, rest = first.movers.rest.partition(": ")
        yield Line(label, rest)
    yield Line("Compared", first.movers.note)


def _decided(first: FirstScreen, page_url: str) -> Iterator[Line]:
    yield Line("", f"To decide ({len(first.decisions)})")
    for one in first.decisions:
        text = f"{one.title}. {f'Owner: {one.owner}' if one.owner else 'No owner'}"
        yield Line(_capital(one.severity), text, _link(page_url, one.address))
    if first.more_decisions:
        yield Line("More", f"{first.more_decisions} more open: `openai-costs findings` lists them.")
    if not first.decisions:
        yield Line("Findings", first.judged.no_finding)


def _saved(first: FirstScreen, page_url: str) -> Iterator[Line]:
    yield Line("", "Could be saved")
    for one in first.savings:
        yield Line("Saving", f"{one.usd} {one.text}", _link(page_url, one.address))
    yield Line("Basis", first.savings_note)


def _picture(first: FirstScreen) -> Picture:
    """Return the month as bars, with what they show in words."""
    tallest = max(first.days, key=lambda one: one.cents or 0)
    before = first.month.before.removeprefix("Same days of ")
    alt = (
        f"Dollars per day: {first.month.name} in blue, provisional days lighter, {before} in grey. "
        f"The most in a day: {dollars_of(tallest.cents or 0)} on {tallest.day}."
    )
    return Picture(picture(first.days), SIZE, alt, instead_of=DAY_BY_DAY)


def _facts(page: PageModel, week: date) -> dict[str, str | None]:
    month = page.first.month
    return {
        "week": str(week),
        "month": month.name,
        "spent": month.spent,
        "expected": month.expected if month.outlook else None,
        "change": month.change,
        "change_note": month.change_note,
        "completeness": page.completeness,
    }


def _link(page_url: str, address: str) -> str:
    return f"{page_url}{address}" if page_url and address else ""


def _end(first: FirstScreen) -> str:
    return first.month.expected_by.removeprefix("Expected by ")


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
