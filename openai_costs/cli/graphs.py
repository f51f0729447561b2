"""The definitions that headless runs are of, built once for all runs of the same settings.

Not here: what is in them (definitions.py), which runs there are (backfill.py).
"""

from collections.abc import Callable

import dagster as dg

from openai_costs.cli.progress import Progress, progress_logger
from openai_costs.definitions import before_publication, build_defs
from openai_costs.kernel.days import Clock
from openai_costs.orchestration.jobs import PUBLISH
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import Reach
from openai_costs.tables.mart.findings import Findings

Wanted = Callable[[dg.AssetKey], bool]
"""Whether an asset of a job is made."""


def every(_: dg.AssetKey) -> bool:
    """Leave nothing out."""
    return True


def is_page(key: dg.AssetKey) -> bool:
    """Return whether an asset is what a provider is asked for."""
    return key.path[0] == "raw"


def is_table(key: dg.AssetKey) -> bool:
    """Return whether an asset is made of what is stored already, and asks no provider."""
    return not is_page(key)


def is_ledger(key: dg.AssetKey) -> bool:
    """Return whether an asset is rows that were cleaned of kept pages."""
    return key.path[0] == "core"


def is_not_judged(key: dg.AssetKey) -> bool:
    """Return whether an asset is none of what is judged: that is recorded, and sent, once."""
    return key != asset_key(Findings)


class Graphs:
    """Definitions by what they were built for; the events of a run go to `progress`."""

    def __init__(self) -> None:
        self.progress = Progress(print, steps=0)
        self._built: list[tuple[Settings, Clock, Reach | None, dg.Definitions]] = []
        self._jobs: dict[tuple[int, str, Wanted], dg.JobDefinition] = {}

    def of(self, settings: Settings, clock: Clock, reach: Reach | None) -> dg.Definitions:
        """Return the definitions for settings, with this clock and this way out."""
        for known, its_clock, its_reach, defs in self._built:
            if its_clock is clock and its_reach is reach and known == settings:
                return defs
        loggers = {"progress": progress_logger(lambda: self.progress)}
        defs = build_defs(settings, clock=clock, reach=reach, loggers=loggers, is_shown=False)
        self._built.append((settings, clock, reach, defs))
        return defs

    def job(self, defs: dg.Definitions, name: str, wanted: Wanted) -> dg.JobDefinition:
        """Return a job of these definitions; without what PUBLISH makes, unless it is that job.

        Args:
            defs: From `of`.
            name: The job.
            wanted: Says which assets of the job it is to make.
        """
        key = (id(defs), name, wanted)
        if key not in self._jobs:
            job = defs.resolve_job_def(name)
            whole = set(job.asset_layer.executable_asset_keys)
            made = whole if name == PUBLISH else before_publication(defs, job)
            kept = {key for key in made if wanted(key)}
            self._jobs[key] = job if kept == whole else job.get_subset(asset_selection=kept)
        return self._jobs[key]
