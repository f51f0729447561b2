"""Days and months as people type them in a command."""

import re
from datetime import date

import typer

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


def typed_day(text: str) -> date:
    """Return the UTC day that a text such as 2026-11-30 names.

    Raises:
        typer.BadParameter: The calendar has no such day, or the text is written otherwise.
    """
    if not _DAY.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not a day. Write it as YYYY-MM-DD: 2026-11-30.")
    return _of_the_calendar(text, text)


def typed_month(text: str) -> date:
    """Return the first day of the month that a text such as 2026-11 names.

    Raises:
        typer.BadParameter: The calendar has no such month, or the text is written otherwise.
    """
    if not _MONTH.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not a month. Write it as YYYY-MM: 2026-11.")
    return _of_the_calendar(text, f"{text}-01")


def _of_the_calendar(text: str, day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise typer.BadParameter(f"The calendar has no {text}.") from None
