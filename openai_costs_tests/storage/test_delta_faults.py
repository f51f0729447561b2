from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from deltalake.exceptions import DeltaError

from openai_costs.storage.delta_faults import StorageFailed, as_ours

if TYPE_CHECKING:
    from upath import UPath

TABLE: UPath = "gs://costs/home/lake/core/spend"  # type: ignore[assignment]  # only named
DRAWN = (
    "Kernel error -> Generic GCS error\n"
    "          \x1b[31m↳\x1b[0m Error performing token request\n"
    "           \x1b[31m↳\x1b[0m 403 Forbidden\n."
)
LINE = "Kernel error -> Generic GCS error: Error performing token request: 403 Forbidden"


def test_an_object_store_that_refuses_is_one_line_with_the_table() -> None:
    with pytest.raises(OSError) as refused, as_ours(TABLE):  # noqa: PT011 - its fields are looked at
        raise OSError(DRAWN)
    assert (refused.value.strerror, refused.value.filename) == (LINE, str(TABLE))


def test_an_error_of_the_system_that_comes_without_its_number_has_it_again() -> None:
    text = "Generic LocalFileSystem error: Unable to open file: Too many open files (os error 24)"
    with pytest.raises(OSError) as raised, as_ours(TABLE):  # noqa: PT011 - its fields are looked at
        raise OSError(text)
    assert (raised.value.errno, raised.value.strerror) == (errno.EMFILE, text)


def test_a_fault_of_a_table_is_one_line() -> None:
    with pytest.raises(StorageFailed) as failed, as_ours(TABLE):
        raise DeltaError(DRAWN)
    assert failed.value.why == LINE


def test_a_backtrace_of_rust_is_no_part_of_the_sentence() -> None:
    cause = "Kernel error: Json error: Truncated record whilst reading object"
    frames = "   0: <unknown>\n  12: start_thread\n             at ./nptl/a.c:442:8"
    with pytest.raises(StorageFailed) as failed, as_ours(TABLE):
        raise DeltaError(f"{cause}\n{frames}\n")
    assert failed.value.why == cause


def test_an_error_of_the_system_stays_what_it_is() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "here")
    with pytest.raises(OSError) as raised, as_ours(TABLE):  # noqa: PT011 - it is that very error
        raise full
    assert raised.value is full
