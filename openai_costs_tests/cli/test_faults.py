"""Faults of the machine and of steps are one sentence: the cause, the place, and what to do."""

from __future__ import annotations

import errno
from typing import NamedTuple

import pytest

from openai_costs.cli.faults import of_machine, of_step


class Info(NamedTuple):
    """What Dagster keeps of an error."""

    message: str
    cls_name: str
    cause: Info | None = None


FRAME = (
    "dagster._core.errors.DagsterExecutionStepExecutionError: "
    'Error occurred while executing op "mart__findings":\n'
)


def framed(inner: Info) -> Info:
    return Info(FRAME, "DagsterExecutionStepExecutionError", inner)


def test_a_full_disk_is_named_with_its_place_and_a_remedy() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/lake/core/spend.parquet")
    assert of_machine(full) == (
        "No space left on device: /data/lake/core/spend.parquet. "
        "Free some space on that disk, then run the command again."
    )


def test_a_step_that_failed_gives_the_innermost_cause() -> None:
    inner = Info(
        "PermissionError: [Errno 13] Permission denied: '/data/lake/mart'\n", "PermissionError"
    )
    assert of_step("mart/findings", framed(framed(inner))) == (
        "mart/findings failed: Permission denied: '/data/lake/mart'. "
        "Give this user the right to read and write there, then run the command again."
    )


@pytest.mark.parametrize(
    ("message", "name", "sentence"),
    [
        (
            "openai_costs.kernel.errors.SettingsError: mutes.json, line 3: is not JSON.\n",
            "SettingsError",
            "mutes.json, line 3: is not JSON.",
        ),
        (
            "polars.exceptions.ComputeError: parquet: corrupt\n",
            "ComputeError",
            "mart/findings failed: ComputeError: parquet: corrupt",
        ),
        ("KeyError: 'day'\n", "KeyError", "mart/findings failed: KeyError: 'day'"),
    ],
)
def test_a_sentence_of_ours_stands_for_itself_and_another_error_with_its_class(
    message: str, name: str, sentence: str
) -> None:
    assert of_step("mart/findings", framed(Info(message, name))) == sentence
