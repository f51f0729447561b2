"""The output of a headless run: a line per step, with rows, dollars and time left."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import dagster as dg

from openai_costs.cli.faults import of_step
from openai_costs.kernel.days import consecutive
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted, dollars
from openai_costs.orchestration.checks import CONTRACT, CURRENCY
from openai_costs.sources import registry
from openai_costs.sources.raw_pages import READ_COMPLETE

Say = Callable[[str], None]


class Stopped(OpenAICostsError):  # noqa: N818 - it is no error
    """Ctrl-C, or a signal that means the same; nothing is lost."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "Stopped. Completed days are saved and the published data is unchanged. "
            "Run the command again to continue."
        )


@dataclass
class _Tally:
    rows: int = 0
    usd: Decimal = Decimal(0)


@dataclass
class Progress(logging.Handler):
    """Turns a run's events into lines.

    Args:
        say: Takes a line.
        steps: How many steps the run has.
    """

    say: Say
    steps: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    tallies: dict[str, _Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event of the run."""
        details = getattr(record, "dagster_meta", {})
        event = details.get("dagster_event")
        if event is None:
            if record.levelno == logging.INFO:  # a message of an asset; errors end the run
                self.say(f"      {details.get('orig_message', record.getMessage())}")
            return
        kind = event.event_type
        if kind is dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._count(event)
        elif kind is dg.DagsterEventType.STEP_SUCCESS:
            self._finish(event)
        elif kind is dg.DagsterEventType.STEP_FAILURE:
            self.say(f"  x   {_title(event.step_key)} failed")

    def _count(self, event: dg.DagsterEvent) -> None:
        figures: dict[str, Any] = dict(event.materialization.metadata)
        tally = self.tallies.setdefault(event.step_key or "", _Tally())
        rows, usd = figures.get("dagster/partition_row_count"), figures.get("spend_usd_exact")
        tally.rows += rows.value if rows else 0
        tally.usd += Decimal(usd.value) if usd else 0

    def _finish(self, event: dg.DagsterEvent) -> None:
        self.done += 1
        spent = time.monotonic() - self.began
        left = spent / self.done * (self.steps - self.done)
        tally = self.tallies.get(event.step_key or "", _Tally())
        figures = f", {counted(tally.rows, 'row')}" if tally.rows else ""
        figures += f", {dollars(tally.usd)}" if tally.usd else ""
        position = f"{self.done:>3}/{self.steps}"
        self.say(f"{position} {_title(event.step_key)}{figures} (about {left:.0f} s left)")


def progress_logger(handler: Progress) -> dg.LoggerDefinition:
    """Return a Dagster logger that shows nothing but the progress."""

    def lines(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger("openai_costs.progress")
        logger.handlers, logger.propagate = [handler], False
        logger.disabled = False  # whoever sets up logging anew may have switched it off
        logger.setLevel(logging.DEBUG)
        return logger

    return dg.LoggerDefinition(lines, description="Progress lines of a headless run.")


def _title(step_key: str | None) -> str:
    return (step_key or "").replace("__", "/")


# The check summary of a headless run: collected over its runs, printed at the end. Without the
# Dagster UI it would not be seen. Not here: the checks (orchestration/checks.py and each folder).

MOST_SENTENCES = 3
"""Of a check with another sentence for every day of a year, the newest days are printed."""

WHAT_TO_DO = "docs/operations.md#checks explains each check and what to do."

Result = tuple[str, str, str, str]
"""A result: the check's asset, its name, its severity, and the sentence."""


@dataclass
class Objections:
    """The newest result of each check on each day, where it did not pass.

    Args:
        results: By asset, check, day and the connections asked.
    """

    results: dict[tuple[str, str, str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)

    def note(self, verdicts: Iterable[dg.AssetCheckEvaluation], asked: str) -> None:
        """Take the check results of a run.

        Args:
            verdicts: The results of its checks.
            asked: The connections it asked; pages, and days of a core table, are judged for these
                alone, everything else for all there are.
        """
        for one in verdicts:
            asset, day = one.asset_key.to_user_string(), one.partition or ""
            key = (asset, one.check_name, day, asked if _is_per_connection(one) else "")
            self.results.pop(key, None)
            if not one.passed:
                self.results[key] = one

    def refused(self) -> list[str]:
        """Return why days were left unchanged; empty when every day was written."""
        rules = {CONTRACT.name, CURRENCY.name}
        texts = (one.description or "" for one in self.results.values() if one.check_name in rules)
        return sorted(set(texts))

    def unread(self) -> list[str]:
        """Return why the bill of a connection could not be read; empty when every one was."""
        bills = {one.costs.pages.key.to_user_string() for one in registry.PROVIDERS}
        texts = (
            one.description or ""
            for (asset, check, *_), one in self.results.items()
            if check == READ_COMPLETE.name and asset in bills
        )
        return sorted(set(texts))

    def lines(self) -> Iterator[str]:
        """Yield a line per check and sentence, with its days."""
        days_of: dict[Result, set[str]] = {}
        for one in self.results.values():
            days_of.setdefault(_result(one), set()).add(one.partition or "")
        for _, group in groupby(sorted(days_of), key=lambda result: result[:2]):
            newest = sorted(group, key=lambda result: max(days_of[result]), reverse=True)
            yield from (_line(result, days_of[result]) for result in newest[:MOST_SENTENCES])
            if rest := newest[MOST_SENTENCES:]:
                yield _line(
                    (*rest[0][:3], "more of the same"),
                    {day for result in rest for day in days_of[result]},
                )
        if days_of:
            yield WHAT_TO_DO


def _is_per_connection(one: dg.AssetCheckEvaluation) -> bool:
    layer = one.asset_key.path[0]
    return layer == "raw" or (layer == "core" and one.partition is not None)


def _result(one: dg.AssetCheckEvaluation) -> Result:
    text = one.description or "did not pass"
    return (one.asset_key.to_user_string(), one.check_name, one.severity.value, text)


def _line(result: Result, days: set[str]) -> str:
    asset, check, severity, text = result
    ranges = consecutive(date.fromisoformat(day) for day in days if day)
    of = f" of {', '.join(map(str, ranges))}" if ranges else ""
    return f"{severity:<5} {asset} {check}{of}: {text}"


def is_interrupt(event: dg.DagsterEvent) -> bool:
    """Return whether a step ended because of a signal, by Dagster's handler."""
    if event.event_type is not dg.DagsterEventType.STEP_FAILURE:
        return False
    error = event.step_failure_data.error
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def reasons(events: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """Yield why the steps of a run failed, a sentence for each."""
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            failure = event.step_failure_data.user_failure_data
            title = _title(event.step_key)
            described = failure.description if failure else None
            yield described or (of_step(title, error) if error else f"{title} failed.")
