"""What the doctor reports of a connection that reads files: lists them, and reads the newest run.

It reads every run of which nothing says when it ran, too: of two that hold the same charges, no one
knows which counts, and a backfill refuses both. Not here: how the doctor shows it.
"""

from collections.abc import Callable, Iterator
from datetime import date

import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources import user_files
from openai_costs.sources.exports.evidence import dated_sums
from openai_costs.sources.exports.locating import Located, located
from openai_costs.sources.exports.ownership import HeldRun, Run, owned
from openai_costs.sources.exports.settings import files_of, store_options
from openai_costs.sources.exports.sheets import Rules, Sheet, refuse_copies, sheet
from openai_costs.sources.exports.to_come import to_come
from openai_costs.sources.provider import Diagnosis, Reach


def diagnose(
    rules: Callable[[Connection], Rules],
    settings: Settings,
    connection: Connection,
    _reach: Reach,
    today: date,
) -> Iterator[Diagnosis]:
    """Yield which files there are, which of them contradict, and what the newest run holds.

    Args:
        rules: Returns what a connection makes of a file.
        settings: Names of files begin in the folder of the settings file.
        connection: Whose files.
        _reach: Not used: files are not an API.
        today: The current UTC day.
    """
    try:
        folder = UPath(settings.config_file.parent)
        found = located(folder, files_of(connection), store_options(connection))
        yield Diagnosis("OK", "files", _files(found))
        newest = max(found.runs, key=_recency)
        opened = _sheets(newest, found, rules(connection))
        undated = (one for one in found.runs if one is not newest and one.ran_at is None)
        others = [_held(one, _sheets(one, found, rules(connection)), today) for one in undated]
        owned([_held(newest, opened, today), *others])
    except OpenAICostsError as refused:
        yield Diagnosis("FAIL", "files", str(refused))
        return
    yield _newest(newest, opened, today)


def _sheets(run: Run, files: Located, rules: Rules) -> list[Sheet]:
    opened = [sheet(one, user_files.content(files.paths[one]), rules) for one in run.files]
    if not run.is_listed:
        refuse_copies(opened)
    return opened


def _held(run: Run, opened: list[Sheet], today: date) -> HeldRun:
    return HeldRun(run, pl.concat([one.held for one in opened]), today)


def _recency(run: Run) -> tuple[float, date, str]:
    at = run.ran_at.timestamp() if run.ran_at else 0.0
    return at, run.days.last if run.days else date.min, run.name


def _files(files: Located) -> str:
    there = sum(len(one.files) for one in files.runs)
    text = f"{counted(there, 'file')} of {counted(len(files.runs), 'run')}"
    replaced = len(files.paths) - there - len(files.left_over)
    if replaced:
        text += f"; {counted(replaced, 'file')} of runs that newer ones replace"
    if files.left_over:
        text += f"; {counted(len(files.left_over), 'file')} that no manifest lists"
    return text


def _newest(run: Run, opened: list[Sheet], today: date) -> Diagnosis:
    kinds = " and ".join(sorted({one.dialect.name for one in opened}))
    rows = sum(one.facts.height for one in opened)
    taken = sum(one.rows.height for one in opened)
    covered = [days for one in opened if (days := HeldRun(run, one.held, today).days)]
    days = _spanned(covered)
    when = (
        f"run at {run.ran_at:%Y-%m-%d %H:%M} UTC" if run.ran_at else "no time of the run is known"
    )
    text = f"{run.name}: {kinds}, {when}, {days or 'no day'}, {taken:,} of {rows:,} rows taken"
    later = {one.name: _taken_after(today, one) for one in opened}
    ahead = to_come(each for name, its in later.items() for each in dated_sums(name, its))
    is_wrong = any(its["is_usage"].any() for its in later.values())
    of_no_month = NO_MONTH if run.ran_at and run.days is None else ""
    text = "; ".join(filter(None, (text, of_no_month, ahead, NEVER_AHEAD if is_wrong else "")))
    if new := sorted({name for one in opened for name in one.new}):
        return Diagnosis("WARN", "newest run", f"{text}; columns that are new: {', '.join(new)}")
    if days and (today - days.last).days > MOST_DAYS_BEHIND:
        behind = (
            f"it ends {counted((today - days.last).days, 'day')} ago: see whether the export runs"
        )
        return Diagnosis("WARN", "newest run", f"{text}; {behind}")
    return Diagnosis("OK" if taken and not is_wrong else "WARN", "newest run", text)


def _taken_after(today: date, one: Sheet) -> pl.DataFrame:
    return one.facts.filter("is_taken", pl.col("day") > today)


NO_MONTH = (
    "no manifest or folder says which month it is about, so charges that it no longer has stay on "
    "days before its first: have each month exported into a folder of its own, such as 2026-11/"
)
NEVER_AHEAD = "usage is never dated ahead: have the file exported again, or correct the date"
MOST_DAYS_BEHIND = 3
"""Exports are written every day; after a weekend no one need act."""


def _spanned(covered: list[DayRange]) -> DayRange | None:
    if not covered:
        return None
    return DayRange(min(one.first for one in covered), max(one.last for one in covered))
