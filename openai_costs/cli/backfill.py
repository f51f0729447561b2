"""Materializes days headless and in process: what is missing, or a range. Resumable.

The same jobs as in the Dagster UI. A day whose complete pages are already kept is made from them,
without a request, so a run that was killed continues where it stopped.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import dagster as dg

from openai_costs.cli.backfill_plan import (
    Step,
    directories_due,
    from_kept_pages,
    plan,
    refuse_foreign_days,
    refuse_without_key,
)
from openai_costs.cli.faults import distinct, of_step
from openai_costs.cli.run_output import Objections, Progress, Say, progress_logger
from openai_costs.definitions import before_publication, build_defs
from openai_costs.kernel.days import Clock, DayRange, utc_now
from openai_costs.kernel.errors import OpenAICostsError, SettingsError
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import DERIVE, DIRECTORY, PUBLISH, range_tags
from openai_costs.questions.spend.stale_days import stale_days
from openai_costs.settings.load import Settings, has_dagster_home
from openai_costs.sources.provider import Reach
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake

MOST_REFUSED = 5
"""Sentences of one message; the lines before it have them all."""


class RunFailedError(OpenAICostsError):
    """A headless run failed.

    Args:
        reasons: A sentence for each step that failed.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(" ".join(distinct(self.reasons)))


class Stopped(OpenAICostsError):  # noqa: N818 - it is no error
    """Ctrl-C, or a signal that means the same; nothing is lost."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "Stopped. Completed days are saved and the published data is unchanged. "
            "Run the command again to continue."
        )


@dataclass(frozen=True)
class Headless:
    """Runs jobs in this process, with a line per step.

    Args:
        settings: What to read, and where to keep it.
        say: Takes a line for a person.
        clock: Returns the time.
        reach: How sources reach their hosts; None for the usual way.
        objections: Takes what checks object to.
    """

    settings: Settings
    say: Say = print
    clock: Clock = utc_now
    reach: Reach | None = None
    objections: Objections = field(default_factory=Objections)

    def backfill(self, asked: DayRange | None = None, *, offline: bool = False) -> None:
        """Materialize the days asked for, or what is missing, each consecutive range as one run.

        Args:
            asked: A range; None for all that is missing, and the trailing days again.
            offline: Make the tables from kept pages only.

        Raises:
            RunFailedError: A run failed; what was complete before it is kept.
            MissingKey: No connection has a key; nothing is written.
            SettingsError: The range is outside the connections' days.
            OSError: Nothing can be written below the home.
            Stopped: It was stopped by Ctrl-C or a signal.
        """
        try:
            self._backfill(asked, offline=offline)
        except KeyboardInterrupt:
            raise Stopped from None

    def _backfill(self, asked: DayRange | None, *, offline: bool) -> None:
        today = self.clock().date()
        refuse_foreign_days(self.settings, asked, today)
        if not offline:
            refuse_without_key(self.settings)
        refuse_unwritable(place(self.settings.home))
        steps = (from_kept_pages if offline else plan)(self.settings, asked, today)
        if not steps:
            self.say("Nothing to do: no pages are kept for these days.")
        failed: list[str] = []
        self._make(steps, failed)
        due = [] if offline else directories_due(self.settings, today)
        self._name(due, failed)
        for line in self.objections.lines():
            self.say(line)
        if refused := self.objections.refused():
            failed.append(f"Published, but not every day: {' '.join(refused[:MOST_REFUSED])}")
        if failed:
            raise RunFailedError(failed)

    def _make(self, steps: Iterable[Step], failed: list[str]) -> None:
        """Make the days and publish them: the money does not wait for names."""
        made = []
        for step in steps:
            self.say(str(step))
            with _noted(failed):
                replace(self, settings=step.settings).run(step.job_name, step.days)
                made.append(step)
        if made:
            with _noted(failed):
                self.publish()

    def _name(self, due: Sequence[str], failed: list[str]) -> None:
        """Read names, derive the days whose names have changed, and publish once more."""
        with _noted(failed):
            self.read_directory(due)
        stale = stale_days(Lake(place(self.settings.home)), self.settings.teams)
        with _noted(failed):
            self.follow_directory(stale)
        if due or stale:
            with _noted(failed):
                self.publish()

    def read_directory(self, due: Iterable[str]) -> None:
        """Read projects, keys and people once a day; the money does not wait for it."""
        for name in due:
            self.say(f"{name}: names and owners, paced as the provider allows")
            replace(self, settings=self.settings.only(name)).run(DIRECTORY, None)

    def follow_directory(self, stale: Iterable[DayRange]) -> None:
        """Derive the marts of the days whose names or owners have changed; no request."""
        for days in stale:
            self.say(f"{days}: current names and owners, no request")
            self.run(DERIVE, days)

    def publish(self) -> None:
        """Make the tables of all days and publish: after everything that changes days."""
        self.say("all days: findings, database and page")
        self.run(PUBLISH, None)

    def run(self, job_name: str, days: DayRange | None) -> None:
        """Run a job over some days, without the tables of all days: those are for PUBLISH.

        Args:
            job_name: REFRESH, REBUILD, DERIVE, DIRECTORY or PUBLISH.
            days: The days; None for a job that has none.

        Raises:
            RunFailedError: The run failed.
            Stopped: It was stopped by Ctrl-C or a signal.
        """
        progress = Progress(self.say, steps=0)
        loggers = {"progress": progress_logger(progress)}
        defs = build_defs(self.settings, clock=self.clock, reach=self.reach, loggers=loggers)
        job = defs.resolve_job_def(job_name)
        if job_name != PUBLISH:
            job = job.get_subset(asset_selection=before_publication(defs, job))
        progress.steps = len(job.nodes)
        with _instance() as instance:
            result = job.execute_in_process(
                instance=instance,
                tags=range_tags(days) if days else None,
                run_config={"loggers": {"progress": {}}},
                raise_on_error=False,
            )
        asked = ", ".join(one.name for one in self.settings.asked_connections)
        self.objections.note(result.get_asset_check_evaluations(), asked)
        if any(map(_is_interrupt, result.all_events)):
            raise Stopped
        if not result.success:
            raise RunFailedError(_reasons(result.all_events))


@contextmanager
def _noted(failed: list[str]) -> Iterator[None]:
    """Note a failed run, and go on: what does not depend on it is still made."""
    try:
        yield
    except RunFailedError as failure:
        failed.extend(failure.reasons)


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Yield the instance of DAGSTER_HOME, so that its UI shows the run, or one in memory."""
    if not has_dagster_home():
        with unrecorded() as instance:
            yield instance
        return
    try:
        recorded = dg.DagsterInstance.get()
    except Exception as broken:  # whatever its storage raises: a file, a schema, a setting
        why = f"The Dagster instance in DAGSTER_HOME cannot be used: {broken}"
        raise SettingsError(f"{why}. Fix it, or unset DAGSTER_HOME.") from broken
    with recorded as instance:
        yield instance


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Return whether a step ended because of a signal, by Dagster's handler."""
    if event.event_type is not dg.DagsterEventType.STEP_FAILURE:
        return False
    error = event.step_failure_data.error
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def _reasons(events: Iterable[dg.DagsterEvent]) -> Iterable[str]:
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            failure = event.step_failure_data.user_failure_data
            title = (event.step_key or "").replace("__", "/")
            described = failure.description if failure else None
            yield described or (of_step(title, error) if error else f"{title} failed.")
