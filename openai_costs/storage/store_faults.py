"""Faults of an object store as sentences: what its driver says, and what to do.

Loads no driver: that takes a moment, and a command that fails may be one that needs none.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openai_costs.kernel.errors import OpenAICostsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upath import UPath

_DRIVERS = ("botocore.", "aiobotocore.", "aiohttp.", "gcsfs.", "google.auth.", "adlfs.", "azure.")
"""The optional libraries behind object stores, whose errors are no errors of the system."""

_PARAMETERS = re.compile(r"\?[^\s\"']*")


class StoreUnusable(OpenAICostsError):  # noqa: N818
    """The object store of a home refuses what is asked of it.

    Args:
        home: The home.
        what: What cannot be done with it.
        fault: What the driver of the store raised.
    """

    def __init__(self, home: UPath, what: str, fault: Exception) -> None:
        super().__init__(f"{home} cannot be {what}: {store_fault_text(fault)}")


class StoreUnreachable(StoreUnusable):
    """It does not answer, or does not let this process in."""


@contextmanager
def of_store(home: UPath, what: str, kind: type[StoreUnusable] = StoreUnusable) -> Iterator[None]:
    """Raise whatever fails as a fault of the object store of a home.

    Args:
        home: The home.
        what: What cannot be done with it then.
        kind: As what it is raised.
    """
    try:
        yield
    except Exception as fault:
        raise kind(home, what, fault) from fault


def is_store_fault(fault: Exception) -> bool:
    """Return whether an error is of a library that reaches an object store."""
    return type(fault).__module__.startswith(_DRIVERS)


def driver_to_install(missing: ImportError) -> str:
    """Return how the library is installed that reaches an object store."""
    if "s3fs" in str(missing):
        return "Run pip install 'openai_costs[scale]'"
    return "Install that library beside openai_costs"


def store_fault_text(fault: Exception) -> str:
    """Return what the driver of a store says, and what to do, as sentences."""
    first = (str(fault) or type(fault).__name__).strip().partition("\n")[0]
    remedy = "Check the address of the store, the network and the credentials"
    if isinstance(fault, PermissionError):
        remedy = "Check the credentials, and which rights they have there"
    elif isinstance(fault, FileNotFoundError):
        remedy = "Create it, or correct OPENAI_COSTS_HOME or --home"
    elif isinstance(fault, ImportError):
        remedy = driver_to_install(fault)
    cause = _PARAMETERS.sub("", first).rstrip(". ")
    return f"{cause}. {remedy}, then run the command again."
