import logging

import dagster as dg
import pytest

from openai_costs.cli.progress import Progress, progress_logger
from openai_costs.orchestration.event_log import unrecorded
from openai_costs_tests.org import calm


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
