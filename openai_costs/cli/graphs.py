"""The definitions that headless runs are of, built once for all runs of the same settings.

Not here: what is in them (definitions.py), which runs there are (backfill.py).
"""

import dagster as dg

from openai_costs.cli.progress import Progress, progress_logger
from openai_costs.definitions import build_defs
from openai_costs.kernel.days import Clock
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import Reach


class Graphs:
    """Definitions by what they were built for; the events of a run go to `progress`."""

    def __init__(self) -> None:
        self.progress = Progress(print, steps=0)
        self._built: list[tuple[Settings, Clock, Reach | None, dg.Definitions]] = []

    def of(self, settings: Settings, clock: Clock, reach: Reach | None) -> dg.Definitions:
        """Return the definitions for settings, with this clock and this way out."""
        for known, its_clock, its_reach, defs in self._built:
            if its_clock is clock and its_reach is reach and known == settings:
                return defs
        loggers = {"progress": progress_logger(lambda: self.progress)}
        defs = build_defs(settings, clock=clock, reach=reach, loggers=loggers)
        self._built.append((settings, clock, reach, defs))
        return defs
