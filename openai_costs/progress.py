"""Tells a person how a headless run is going: a line per step, with rows, dollars and time left."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import dagster as dg

Say = Callable[[str], None]


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
        told = getattr(record, "dagster_meta", {})
        event = told.get("dagster_event")
        if event is None:
            if record.levelno == logging.INFO:  # what an asset tells; errors end the run
                self.say(f"      {told.get('orig_message', record.getMessage())}")
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
        figures = f", {tally.rows:,} rows" if tally.rows else ""
        figures += f", {tally.usd:,.2f} USD" if tally.usd else ""
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
