"""The lines of a headless run: one per step, with rows, dollars and the time left for all days.

Not here: how it ended (run_output.py).
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import dagster as dg

from openai_costs.kernel.formatting import counted, dollars

Say = Callable[[str], None]
"""Takes a line for a person."""

FIRST_WAIT = 60
"""Seconds that a newcomer waits for the first numbers."""


def step_title(step_key: str | None) -> str:
    """Return a step as people know it: `core/spend`."""
    return (step_key or "").replace("__", "/")


@dataclass
class _Tally:
    rows: int = 0
    usd: Decimal = Decimal(0)


@dataclass
class Whole:
    """How far the days of a backfill are.

    Args:
        days: How many there are to make, each once for every step that makes it.
        done: How many are made.
        began: When it began, by the monotonic clock.
    """

    days: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def finish(self, days: int) -> None:
        """Count days as made."""
        self.done += days

    def leave_out(self, days: int) -> None:
        """Count days as not to be made after all."""
        self.days -= days

    def left(self, days: int, share: float) -> str:
        """Return the time left for all days, where a part of a run's days is made.

        Args:
            days: The days of the run.
            share: Which part of them is made, more than 0 and at most 1.
        """
        seconds = self._seconds_left(self.done + days * share)
        return f"about {seconds:.0f} s left for all {counted(self.days, 'day')}"

    @property
    def is_long(self) -> bool:
        """Whether the days that are left take longer than a newcomer waits for numbers."""
        return bool(self.done) and self._seconds_left(self.done) > FIRST_WAIT

    def _seconds_left(self, made: float) -> float:
        return (time.monotonic() - self.began) / made * max(self.days - made, 0)


@dataclass(eq=False)
class Progress(logging.Logger):
    """Turns a run's events into lines. A run hands each to `log`; no record is made of it.

    Args:
        say: Takes a line.
        steps: How many steps the run has.
        whole: The backfill that the run is part of.
        days: How many of its days the run makes; 0 for a run apart from them.
    """

    say: Say
    steps: int
    whole: Whole = field(default_factory=Whole)
    days: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    tallies: dict[str, _Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__("openai_costs.progress")

    def log(
        self,
        level: int,
        msg: object,
        *_: object,
        extra: Mapping[str, Any] | None = None,
        **_others: Any,  # noqa: ANN401 - the signature of a logger
    ) -> None:
        """Take one event of the run."""
        details = (extra or {}).get("dagster_meta", {})
        event = details.get("dagster_event")
        if event is None:
            if level == logging.INFO:  # a message of an asset; errors end the run
                self.say(f"      {details.get('orig_message', msg)}")
            return
        kind = event.event_type
        if kind is dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._count(event)
        elif kind is dg.DagsterEventType.STEP_SUCCESS:
            self._finish(event)
        elif kind is dg.DagsterEventType.STEP_FAILURE:
            self.say(f"  x   {step_title(event.step_key)} failed")

    def _count(self, event: dg.DagsterEvent) -> None:
        figures: dict[str, Any] = dict(event.materialization.metadata)
        tally = self.tallies.setdefault(event.step_key or "", _Tally())
        rows, usd = figures.get("dagster/partition_row_count"), figures.get("spend_usd_exact")
        tally.rows += rows.value if rows else 0
        tally.usd += Decimal(usd.value) if usd else 0

    def _finish(self, event: dg.DagsterEvent) -> None:
        self.done += 1
        share = self.done / self.steps
        spent = time.monotonic() - self.began
        left = f"about {spent / share * (1 - share):.0f} s left"
        if self.days and self.whole.days:
            left = self.whole.left(self.days, share)
        tally = self.tallies.get(event.step_key or "", _Tally())
        figures = f", {counted(tally.rows, 'row')}" if tally.rows else ""
        figures += f", {dollars(tally.usd)}" if tally.usd else ""
        position = f"{self.done:>3}/{self.steps}"
        self.say(f"{position} {step_title(event.step_key)}{figures} ({left})")


def progress_logger(of_run: Callable[[], Progress]) -> dg.LoggerDefinition:
    """Return a Dagster logger that shows nothing but the progress of the run at hand."""

    def lines(_context: dg.InitLoggerContext) -> logging.Logger:
        return of_run()

    return dg.LoggerDefinition(lines, description="Progress lines of a headless run.")
