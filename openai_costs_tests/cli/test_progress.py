import errno
import logging

import dagster as dg
import pytest

from openai_costs.cli.progress import Progress, progress_logger
from openai_costs.cli.run_output import reasons
from openai_costs.orchestration.event_log import unrecorded
from openai_costs_tests.org import calm


def test_a_run_that_ends_outside_its_steps_has_a_reason_too() -> None:
    @dg.op
    def quiet() -> None: ...

    def refuse(_line: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    @dg.job(logger_defs={"progress": progress_logger(lambda: Progress(refuse, steps=1))})
    def run() -> None:
        quiet()

    with calm(), unrecorded() as instance:
        ran = run.execute_in_process(
            instance=instance, run_config={"loggers": {"progress": {}}}, raise_on_error=False
        )
    full = (
        "No space left on device. "
        "Free some space (`df`) or inodes (`df -i`) on that disk, then run the command again."
    )
    assert list(reasons(ran.all_events)) == [f"The run failed: {full}"]


def test_the_reason_of_a_step_is_given_once() -> None:
    @dg.op
    def refuse() -> None:
        raise dg.Failure("The key is refused.", allow_retries=False)

    @dg.job
    def run() -> None:
        refuse()

    with calm(), unrecorded() as instance:
        ran = run.execute_in_process(instance=instance, raise_on_error=False)
    assert list(reasons(ran.all_events)) == ["The key is refused."]


def test_progress_is_shown_whoever_switched_loggers_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("openai_costs.cli.progress"), "disabled", value=True)
    test_the_text_of_an_asset_is_shown_word_for_word()


def test_the_text_of_an_asset_is_shown_word_for_word() -> None:
    @dg.op
    def talkative(context: dg.OpExecutionContext) -> None:
        context.log.info("acme: the connection broke (eof - try later); trying again in 2 s")
        context.log.debug("nobody asks")

    lines: list[str] = []
    progress = Progress(lines.append, steps=1)
    logger = progress_logger(lambda: progress)

    @dg.job(logger_defs={"progress": logger})
    def talk() -> None:
        talkative()

    with calm(), unrecorded() as instance:
        talk.execute_in_process(instance=instance, run_config={"loggers": {"progress": {}}})
    assert lines == [
        "      acme: the connection broke (eof - try later); trying again in 2 s",
        "  1/1 talkative (about 0 s left)",
    ]
