"""Faults of the machine and of steps are one sentence: the cause, the place, and what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl
import pytest
from sqlalchemy.exc import OperationalError

from openai_costs.cli.faults import distinct, of_machine, of_step, of_storage, sentence_of
from openai_costs.storage.store_faults import store_fault_text


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
        "Free some space (`df`) or inodes (`df -i`) on that disk, then run the command again."
    )


def test_a_current_folder_that_was_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert of_machine(gone).startswith("No such file or directory. Check that the path exists")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert of_machine(gone).startswith(
        "No such file or directory: the current folder, which was removed. Check that the path "
    )


def test_a_store_whose_library_is_not_installed_names_the_extra_to_install() -> None:
    assert store_fault_text(ImportError("Install s3fs to access S3")) == (
        "Install s3fs to access S3. Run pip install 'openai_costs[scale]', then run the command "
        "again."
    )


def test_a_database_that_may_not_be_written_is_a_missing_right_and_no_damage() -> None:
    assert of_storage(sqlite3.OperationalError("attempt to write a readonly database")) == (
        "attempt to write a readonly database. "
        "Give this user the right to read and write there, then run the command again."
    )


ANYTHING = (
    "Check that this user may read and write there, and that the disk has space (`df`) and inodes "
    "(`df -i`)"
)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("database or disk is full", "Free some space (`df`) or inodes (`df -i`) on that disk"),
        (
            "unable to open database file",
            ANYTHING,
        ),
        ("disk I/O error", "Check the disk, and that it has space (`df`)"),
        ("database is locked", "Wait until no other process uses it"),
    ],
)
def test_what_sqlite_says_of_a_disk_or_of_another_process_is_no_damage(
    words: str, remedy: str
) -> None:
    fault = sqlite3.OperationalError(words)
    again = "then run the command again."
    assert of_storage(fault) == f"{words}. {remedy}, {again}"
    of_dagster = OperationalError("INSERT INTO runs VALUES (1)", {}, fault)
    assert of_storage(of_dagster) == f"Dagster's history: {words}. {remedy}, {again}"


def test_too_little_memory_is_a_sentence_of_a_command_and_of_a_step() -> None:
    assert sentence_of(MemoryError()).startswith("There is not enough memory. Give this process")
    error = Info("MemoryError: Unable to allocate\n", "MemoryError")
    text = of_step("mart/spend", framed(error))
    assert text.startswith("mart/spend failed: There is not enough memory.")


def test_a_driver_that_lost_its_store_on_the_way_is_a_fault_of_the_store() -> None:
    lost = type("EndpointConnectionError", (Exception,), {"__module__": "botocore.exceptions"})
    assert sentence_of(
        lost('Could not connect to the endpoint URL: "http://s3/b?list-type=2"')
    ) == (
        'The object store failed: Could not connect to the endpoint URL: "http://s3/b". Check the '
        "address of the store, the network and the credentials, then run the command again."
    )
    assert sentence_of(PermissionError("Access Denied.")) == (
        "Access Denied. Give this user the right to read and write there, then run the command "
        "again."
    )


def test_a_step_that_failed_gives_the_innermost_cause() -> None:
    inner = Info(
        "PermissionError: [Errno 13] Permission denied: '/data/lake/mart'\n", "PermissionError"
    )
    assert of_step("mart/findings", framed(framed(inner))) == (
        "mart/findings failed: Permission denied: '/data/lake/mart'. "
        "Give this user the right to read and write there, then run the command again."
    )


def test_a_step_that_failed_with_an_error_of_ours_gives_its_sentence_and_not_its_cause() -> None:
    cause = Info("_internal.DeltaError: Generic DeltaTable error: Parquet error", "DeltaError")
    sentence = "s3://b/lake/core/spend: a file is missing. Run it again."
    ours = Info(
        f"openai_costs.storage.delta_faults.StorageFailed: {sentence}", "StorageFailed", cause
    )
    assert of_step("core/spend", framed(ours)) == sentence


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


FULL = (
    'FATAL Error: Failed to create checkpoint because of error: Could not write file "/data/'
    'published/.building-1/openai_costs.duckdb": No space left on device'
)


def test_a_full_disk_that_a_database_met_has_the_same_remedy() -> None:
    remedy = (
        "No space left on device. "
        "Free some space (`df`) or inodes (`df -i`) on that disk, then run the command again."
    )
    inner = Info(f"_duckdb.FatalException: {FULL}\n", "FatalException")
    assert of_step("published/duckdb", framed(inner)).endswith(remedy)
    assert of_storage(duckdb.FatalException(FULL)).endswith(remedy)


def test_a_damaged_file_is_a_sentence_and_a_defect_of_ours_is_none() -> None:
    damaged = pl.exceptions.ComputeError("parquet: File out of specification\nand more")
    assert of_storage(damaged).startswith(
        "Something stored cannot be read: parquet: File out of specification. `openai-costs doctor`"
    )
    assert of_storage(KeyError("day")) == ""


def test_steps_that_fail_for_one_fault_of_the_machine_are_one_sentence_and_a_number() -> None:
    full = [f"{step} failed: No space left on device: '/{step}'." for step in ("a", "b", "c")]
    assert distinct([full[0], "other failed: KeyError: 'day'", *full[1:], full[0]]) == [
        full[0],
        "other failed: KeyError: 'day'",
        "The same error ended 2 more steps.",
    ]


def test_an_error_of_a_network_names_the_host_that_its_library_names() -> None:
    class CannotConnectError(OSError):
        """As those of aiohttp, which know more than the system's words."""

        def __str__(self) -> str:
            return "Cannot connect to host storage.example:443 [Name or service not known]"

    assert of_machine(CannotConnectError(-2, "Name or service not known")) == (
        "Cannot connect to host storage.example:443 [Name or service not known]. Correct that, "
        "then run the command again."
    )
