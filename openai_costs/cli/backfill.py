"""Materializes days headless and in process: what is missing, or a range. Resumable.

The same jobs as in the Dagster UI. A day of which all pages are kept is made without a request.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from openai_costs.cli.backfill_follow_up import connected, follow_up
from openai_costs.cli.backfill_names import (
    Judging,
    asks_for_no_names,
    days_to_follow,
    governance,
    is_governance_due,
    judging,
    names_due,
    runs_of_names,
)
from openai_costs.cli.backfill_order import newest_first, past_the_beginning, publications
from openai_costs.cli.backfill_plan import Step, plan, plan_offline
from openai_costs.cli.backfill_refusals import refuse_foreign_days, refuse_without_key
from openai_costs.cli.graphs import Graphs, Wanted, every, is_not_judged, is_page, is_table
from openai_costs.cli.healing import after_a_failed_publication, healed, set_days_to_come_aside
from openai_costs.cli.progress import Progress, Say, Whole
from openai_costs.cli.run_history import instance_of_runs, leave_trace
from openai_costs.cli.run_output import (
    Objections,
    RunFailedError,
    Stopped,
    is_interrupt,
    noted,
    reasons,
)
from openai_costs.kernel.clock_skew import skew_aware
from openai_costs.kernel.days import Clock, DayRange, utc_now
from openai_costs.orchestration.jobs import DERIVE, DIRECTORY, PUBLISH, REFRESH, headless_tags
from openai_costs.outputs.retention.old_months import retention_texts
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import Reach
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.storage.permissions import close_to_others


@dataclass(frozen=True)
class Headless:
    """Runs jobs in this process, with a line per step.

    Args:
        settings: What to read, and where to keep it.
        say: Takes a line for a person.
        clock: Returns the time.
        reach: How sources reach their hosts; None for the usual way.
        objections: Takes what checks object to.
        whole: How many days there are to make, and how many are made.
        graphs: The definitions that runs are of.
    """

    settings: Settings
    say: Say = print
    clock: Clock = utc_now
    reach: Reach | None = None
    objections: Objections = field(default_factory=Objections)
    whole: Whole = field(default_factory=Whole)
    graphs: Graphs = field(default_factory=Graphs)

    def backfill(self, asked: DayRange | None = None, *, offline: bool = False) -> None:
        """Materialize the days asked for, or what is missing, each consecutive range as one run.

        Args:
            asked: A range; None for all that is missing, and the trailing days again.
            offline: Make the tables from kept pages only.

        Raises:
            RunFailedError: A run failed, or a connection's bill could not be read; what was
                complete is kept and published.
            MissingKey: No connection has a key; nothing is written.
            SettingsError: No key can be used, or the range is outside the connections' days.
            NothingStored: No page of these days is kept, and none may be asked for.
            OSError: Nothing can be written below the home.
            Stopped: It was stopped by Ctrl-C or a signal.
        """
        compared = replace(self, clock=skew_aware(self.clock))  # one for all runs of a backfill
        try:
            compared._backfill(asked, offline=offline)  # noqa: SLF001 - it is this class
        except KeyboardInterrupt:
            raise Stopped from None

    def _backfill(self, asked: DayRange | None, *, offline: bool) -> None:
        now, failed = self.clock(), list[str]()
        refuse_foreign_days(self.settings, asked, now)
        if not offline:
            refuse_without_key(self.settings)
        again = healed(self.settings, now.date(), self.say, is_deep=offline)
        steps = (plan_offline if offline else plan)(self.settings, asked, now)
        refuse_unwritable(place(self.settings.home))
        close_to_others(place(self.settings.home))
        judges = judging(self.settings, self.clock, offline=offline)
        before = connected(self.settings)
        owed = self._make([*again, *steps], failed, judges)
        if more := follow_up(self.settings, before, asked or now.date(), self.clock()):
            owed = self._make(more, failed, judges)
        due = names_due(self.settings, self.clock, offline=offline)  # by the servers' clocks now
        self._name(due, failed, may_ask=not offline, owed=owed)
        for line in (*retention_texts(self.settings, now, self.clock()), *self.objections.lines()):
            self.say(line)
        if failed := [*failed, *self.objections.failures(failed)]:
            raise RunFailedError(failed)

    def _make(self, steps: Iterable[Step], failed: list[str], judges: Judging) -> bool:
        """Make the days, the newest first, and publish them; return whether findings wait still.

        The first numbers of a home do not wait for history. What is judged before the days of a
        pause are there would end with the dollars before it.
        """
        ordered = newest_first(steps)
        following = replace(self, whole=Whole(sum(len(step.days) for step in ordered)))
        groups, made, owed = publications(ordered), list[Step](), False
        for group in groups:
            made += following._run_all(group, failed)  # noqa: SLF001 - it is this class
            is_last = group is groups[-1]
            if made and (is_last or (judges.is_first and following.whole.is_long)):
                set_days_to_come_aside(self.settings, self.clock, self.say)
                owed = judges.waits(is_last=is_last)
                self._publish(failed, is_not_judged if owed else every)
                made.clear()
        return owed

    def _publish(self, failed: list[str], wanted: Wanted) -> None:
        """Publish; where that fails, say why, rebuild what is damaged, and publish again."""
        try:
            self.publish(wanted)
        except RunFailedError as failure:
            if again := after_a_failed_publication(self.settings, self.clock().date(), self.say):
                self.say(" ".join(failure.reasons))
                self._run_all(again, failed)
                with noted(failed):
                    self.publish(wanted)
            else:
                failed.extend(failure.reasons)

    def _run_all(self, steps: Iterable[Step], failed: list[str]) -> list[Step]:
        """Run steps one after the other, and return those that succeeded."""
        made, lake, begun = list[Step](), Lake(place(self.settings.home)), set[str]()
        for step in steps:
            left, reasons = past_the_beginning(step, lake)
            for reason in [one for one in reasons if one not in begun]:
                self.say(reason)
                begun.add(reason)
            if left is None:
                self.whole.leave_out(len(step.days))
                continue
            self.say(str(left))
            if self._run_one(left, failed):
                made.append(left)
            self.whole.finish(len(left.days))
        return made

    def _run_one(self, step: Step, failed: list[str]) -> bool:
        """Return whether a step made tables; each provider is read, and fails, by itself."""
        its = step.settings
        if step.job_name != REFRESH or not its.only_connections[1:]:
            return self._succeeds(step, failed)
        apart, read = replace(self, whole=Whole()), list[str]()
        for provider in dict.fromkeys(one.provider for one in its.asked_connections):
            names = [one.name for one in its.asked_of(provider)]
            alone = step._replace(settings=its.only(*names))
            if apart._succeeds(alone, failed, is_page):  # noqa: SLF001 - it is this class
                read += names
        together = step._replace(settings=its.only(*read))
        return bool(read) and self._succeeds(together, failed, is_table)

    def _succeeds(self, step: Step, failed: list[str], wanted: Wanted = every) -> bool:
        with noted(failed):
            replace(self, settings=step.settings).run(step.job_name, step.days, wanted)
            return True
        return False

    def _name(self, due: list[str], failed: list[str], *, may_ask: bool, owed: bool) -> None:
        """Read names and gateway, derive the days that they changed, and publish once more."""
        before, is_other = governance(self.settings), bool(due) and self.follow(failed)
        if is_other:  # names may take long
            self._publish(failed, is_not_judged if owed else every)
        with noted(failed):
            self.read_directory(due)
        with noted(failed):
            if may_ask and is_governance_due(self.settings, self.clock, brought=bool(due)):
                self.say("gateway and people: tokens, and who works here")
                self.run(DIRECTORY, None, asks_for_no_names)
        is_other |= self.follow(failed)
        if is_other or due or owed or not governance(self.settings).equals(before):
            with noted(failed):
                self.publish()

    def read_directory(self, due: Sequence[str]) -> None:
        """Read projects, keys and people once a day; the money does not wait for it."""
        for names, its in runs_of_names(self.settings, due):
            self.say(f"{', '.join(names)}: names and owners, paced as the provider allows")
            replace(self, settings=its).run(DIRECTORY, None)

    def follow(self, failed: list[str]) -> bool:
        """Derive the marts that say something else than is known now; return whether some did."""
        its, stale = days_to_follow(self.settings, self.clock().date())
        with noted(failed):
            for days in stale:
                self.say(f"{days}: current names and owners, no request")
                replace(self, settings=its).run(DERIVE, days)
        return bool(stale)

    def publish(self, wanted: Wanted = every) -> None:
        """Make the tables of all days and publish: after everything that changes days."""
        self.say(f"all days: {'findings, ' if wanted is every else ''}database and page")
        self.run(PUBLISH, None, wanted)

    def run(self, job_name: str, days: DayRange | None, wanted: Wanted = every) -> None:
        """Run a job over some days, without the tables of all days: those are for PUBLISH.

        Args:
            job_name: REFRESH, REBUILD, DERIVE, DIRECTORY or PUBLISH.
            days: The days; None for a job that has none.
            wanted: Says which assets of the job are made.

        Raises:
            RunFailedError: The run failed.
            Stopped: It was stopped by Ctrl-C or a signal.
        """
        defs = self.graphs.of(self.settings, self.clock, self.reach)
        job = self.graphs.job(defs, job_name, wanted)
        self.graphs.progress = Progress(self.say, len(job.nodes), self.whole, len(days or ()))
        with instance_of_runs() as instance:
            result = job.execute_in_process(
                instance=instance,
                tags=headless_tags(job_name, days, self.settings.only_connections),
                run_config={"loggers": {"progress": {}}},
                raise_on_error=False,
            )
            if any(map(is_interrupt, result.all_events)):
                raise Stopped
            leave_trace(result.run_id, instance, self.settings.home, self.say)
        self.objections.note(result.get_asset_check_evaluations())
        if not result.success:
            raise RunFailedError(reasons(result.all_events))
