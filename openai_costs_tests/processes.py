"""Processes of their own: each begins in one that has imported everything, and has run nothing.

To import the libraries costs more than most of what such a process does.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerProcess

WHAT_COMMANDS_LOAD: Final = (
    "openai_costs.cli.backfill",
    "openai_costs.cli.doctor",
    "openai_costs.cli.empty_home",
    "openai_costs.cli.findings",
    "openai_costs.cli.verify",
    "openai_costs.outputs.alerts.cron",
    "openai_costs.outputs.publish.verification",
    "openai_costs.outputs.report.cost_explorer",
)
fresh: Final = multiprocessing.get_context("forkserver")
fresh.set_forkserver_preload(
    [
        *WHAT_COMMANDS_LOAD,
        "openai_costs_tests.cli.test_dev",
        "openai_costs_tests.cli.test_machine",
        "openai_costs_tests.cli.test_stopping",
        "openai_costs_tests.outputs.alerts.test_delivery",
        "openai_costs_tests.outputs.publish.test_database",
        "openai_costs_tests.sample.api.test_app",
        "openai_costs_tests.sources.openai.organization.test_source",
        "openai_costs_tests.storage.test_archive",
        "openai_costs_tests.storage.test_slice_log",
        "openai_costs_tests.test_home_on_s3",
        "openai_costs_tests.test_processes",
    ]
)


def started(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Start a process that calls a function of one of these modules."""
    process = fresh.Process(target=target, args=arguments)
    process.start()
    return process
