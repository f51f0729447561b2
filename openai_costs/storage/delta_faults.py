"""Faults of delta-rs as errors of ours.

A panic in its Rust code is no `Exception`: uncaught, a step would end without a reason. An error of
the operating system comes as text; as an `OSError` again it gets the sentence of its kind.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError
from upath import UPath

from openai_costs.kernel.errors import StorageFailed

_OF_THE_SYSTEM = re.compile(r"\(os error (\d+)\)")


@contextmanager
def as_ours(place: UPath) -> Iterator[None]:
    """Turn what delta-rs raises into an error that a person understands.

    Args:
        place: The table's folder.

    Raises:
        CommitFailedError: Another writer was ahead: try again.
        OSError: The disk is full, a right is missing, and the like.
        StorageFailed: Anything else.
    """
    try:
        yield
    except CommitFailedError:
        raise
    except DeltaError as fault:
        raise _ours(place, str(fault)) from fault
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        raise StorageFailed(place, f"delta-rs stopped ({fault})") from None


def _ours(place: UPath, text: str) -> Exception:
    numbers = _OF_THE_SYSTEM.findall(text)
    if numbers:
        number = int(numbers[-1])
        return OSError(number, os.strerror(number), str(place))
    return StorageFailed(place, " ".join(text.split()))
