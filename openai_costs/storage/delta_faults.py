"""Faults of the tables as errors of ours, and those of delta-rs among them.

A panic in its Rust code is no `Exception`: uncaught, a step would end without a reason. An error of
the operating system comes as text; as an `OSError` again it gets the sentence of its kind.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError

from openai_costs.kernel.errors import OpenAICostsError

_DRAWN = re.compile(r"\x1b\[[0-9;]*m|↳")
_BACKTRACE = re.compile(r"^\s*0: ", re.MULTILINE)
"""How the frames of Rust begin below a message, which name nothing that a person has."""

_OF_THE_SYSTEM = re.compile(r"\(os error (\d+)\)")


class StorageFailed(OpenAICostsError):  # noqa: N818
    """A table of the lake cannot be read or written; what was there is as it was.

    Args:
        place: Its folder.
        why: What is wrong, without a full stop.
    """

    def __init__(self, place: object, why: str) -> None:
        super().__init__(
            f"{place}: {why}. The tables can be rebuilt from raw/ with "
            "`openai-costs backfill --offline`; `openai-costs doctor` checks the home."
        )
        self.place, self.why = place, why


class WriteConflict(OpenAICostsError):  # noqa: N818
    """Another run has replaced a table since this one read it: nothing was written."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"{table} was not replaced: another run replaced it at the same time, and its rows "
            "would be lost. Run the command again; let one run at a time publish."
        )


@contextmanager
def as_ours(place: object) -> Iterator[None]:
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
    except OSError as fault:
        if fault.errno is not None:
            raise
        numbers = _OF_THE_SYSTEM.findall(str(fault)) or [0]  # an object store has none
        raise OSError(int(numbers[-1]), in_one_line(str(fault)), str(place)) from fault
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        raise StorageFailed(place, f"delta-rs stopped ({fault})") from None


def _ours(place: object, text: str) -> Exception:
    numbers = _OF_THE_SYSTEM.findall(text)
    if numbers:
        number = int(numbers[-1])
        return OSError(number, os.strerror(number), str(place))
    return StorageFailed(place, in_one_line(text))


def in_one_line(text: str) -> str:
    """Return what delta-rs draws as a coloured tree of causes as one line, without a full stop."""
    message = _BACKTRACE.split(text, maxsplit=1)[0]
    causes = (_DRAWN.sub("", line).strip(" .") for line in message.splitlines())
    return ": ".join(filter(None, causes))
