"""How a backfill ends: what the AI costs, what moved it, what to decide, where the files are.

After a first run everything; after one that opened and closed no finding, the three numbers.
Not here: what the checks of the runs object to (run_output.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import polars as pl
from upath import UPath

from openai_costs.cli.findings import lines, shown
from openai_costs.cli.home_settings import option_of
from openai_costs.cli.progress import Say
from openai_costs.cli.run_output import RunFailedError
from openai_costs.kernel.days import Clock
from openai_costs.kernel.formatting import counted
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.parquet_copies import PARQUET
from openai_costs.outputs.publish.publication import NothingToShow, Publication
from openai_costs.outputs.report.cost_explorer import PAGE, read_opening
from openai_costs.outputs.report.judged import Judged
from openai_costs.outputs.report.page_model import FirstScreen
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import OPEN, Findings

MOST_FINDINGS = 5
_IS_OPEN = pl.col("state").is_in(OPEN)


@contextmanager
def with_ending(publication: Publication, clock: Clock, say: Say) -> Iterator[None]:
    """Print the ending after a backfill, also where a part of it failed: the rest is published."""
    before = _open_findings(publication.lake)
    try:
        yield
    except RunFailedError:
        _print(publication, before, clock(), say)
        raise
    _print(publication, before, clock(), say)


def ending(publication: Publication, now: datetime, *, is_brief: bool = False) -> Iterator[str]:
    """Yield the first screen of the page, findings and files; nothing before any day was read.

    Args:
        publication: What was published last.
        now: The current instant.
        is_brief: Whether only the numbers of the month and the page are of interest.
    """
    home = publication.home
    try:
        page = read_opening(publication, now)
    except NothingToShow as why:
        yield f"\n{why}"
        return
    if page.first.month.span is None:
        return
    yield ""
    yield from _numbers(page.first)
    if is_brief:
        yield f"\nNo finding opened or closed. The page: {home / PAGE}"
        return
    yield from _reasons(page.first)
    yield "\nOpen questions:"
    for question in page.questions:
        yield f"  - {question.title}: {question.sentence}"
    yield from _findings(home, page.first.judged)
    yield "\nFiles:"
    for file in (PAGE, DATABASE, PARQUET, "raw"):
        yield f"  {home / file}"


def _print(
    publication: Publication, before: frozenset[str] | None, now: datetime, say: Say
) -> None:
    after, home = _open_findings(publication.lake), publication.home
    for line in ending(publication, now, is_brief=before is not None and before == after):
        say(line)
    if after is not None:
        say(f"\nNext: openai-costs report --open{option_of(home)}    (the page, in the browser)")


def _open_findings(lake: Lake) -> frozenset[str] | None:
    """Return the ids of open findings; None before anything was evaluated."""
    if not lake.has(Findings):
        return None
    open_ones = lake.read(Findings).filter(_IS_OPEN)
    return frozenset(open_ones["finding_id"])


def _numbers(first: FirstScreen) -> Iterator[str]:
    """Yield what the month cost so far, by its end, and against the month before."""
    month = first.month
    yield f"  {month.spent:>12}  {month.name} so far ({month.through})"
    yield f"  {month.expected:>12}  {month.expected_by} ({month.band})"
    yield f"  {month.change:>12}  {month.before} ({month.change_note})"
    if month.budget:
        yield f"                {month.budget.sentence}"


def _reasons(first: FirstScreen) -> Iterator[str]:
    """Yield what moved the month, and what could be saved."""
    moved = first.movers
    yield f"\nWhat moved it: {moved.note}"
    yield from (f"  {one.change:>12}  {one.name}" for one in moved.shown)
    if moved.rest:
        yield f"                {moved.rest}"
    if first.savings:
        yield f"\nCould be saved ({first.savings_note[0].lower()}{first.savings_note[1:]}):"
    yield from (f"  {one.usd:>12}  {one.text}" for one in first.savings)


def _findings(home: UPath, judged: Judged) -> Iterator[str]:
    """Yield the open findings with their dollars, and how many are closed."""
    everything = shown(home, everything=True)
    found = [one for one in everything if one.state in OPEN]
    closed, first = len(everything) - len(found), min(len(found), MOST_FINDINGS)
    if not found:
        yield f"\n{judged.no_finding} Closed findings: {closed}."
        return
    opened = counted(len(found), "open finding")
    yield f"\n{opened} (the {first} worst shown), {closed} closed:"
    yield from (f"  {line}" for line in lines(found[:MOST_FINDINGS]))
