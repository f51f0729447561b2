"""Faults of the machine and of steps as sentences: what failed, where, and what to do.

A full disk or a missing right is neither a user's mistake nor a defect; no one needs its trace.
"""

import errno
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted
from openai_costs.storage.store_faults import is_store_fault, store_fault_text

REMEDIES = {
    errno.ENOSPC: "Free some space (`df`) or inodes (`df -i`) on that disk",
    errno.EDQUOT: "Free some space in that quota",
    errno.EACCES: "Give this user the right to read and write there",
    errno.EPERM: "Give this user the right to read and write there",
    errno.EROFS: "That file system is read-only: choose another home",
    errno.ENOENT: "Check that the path exists",
    errno.ENOTDIR: "A file is in the place of a folder: move it, or choose another home",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENOMEM: "Give this process more memory",
    errno.EFBIG: "Raise the limit of the size of files (ulimit -f)",
    errno.EIO: "Check the disk",
}
"""What to do about an error of the operating system, by its number."""

MEMORY = "There is not enough memory. Give this process more, then run the command again."

_OURS = "openai_costs."
_NUMBER = re.compile(r"\[Errno (\d+)\] ")
_WORDS = {os.strerror(number): number for number in REMEDIES} | {
    "attempt to write a readonly database": errno.EACCES
}
"""A database and a reader of Parquet give the system's words and not its number; SQLite its own."""

UNREADABLE = (
    "`openai-costs doctor` names the file. If it is below lake/ or published/, delete it and run "
    "`openai-costs backfill --offline`"
)
_STORED = ("_duckdb", "duckdb", "deltalake", "polars", "pyarrow", "sqlite3", "sqlalchemy")
"""The libraries whose errors are about what is stored."""


def sentence_of(fault: Exception) -> str:
    """Return a fault as a sentence for a person; empty for a defect of ours."""
    if isinstance(fault, OpenAICostsError):
        return str(fault)
    if isinstance(fault, MemoryError):
        return MEMORY
    if is_store_fault(fault):
        return f"The object store failed: {store_fault_text(fault)}"
    return of_machine(fault) if isinstance(fault, OSError) else of_storage(fault)


def of_machine(error: OSError) -> str:
    """Return the cause, the place and the remedy of an error of the operating system."""
    named = error.filename or _removed_folder()
    place = f": {named}" if named else ""
    is_of_system = type(error).__module__ == "builtins"  # another may name the host it means
    what = error.strerror if is_of_system else None
    return _with_remedy(f"{str(what or error).rstrip('.')}{place}", error.errno or _kind(error))


def _removed_folder() -> str:
    """Return that the current folder is gone, which the system's own error does not name."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the current folder, which was removed"
    return ""


def _kind(error: OSError) -> int | None:
    """Return the number of an error that the driver of a store raised without one."""
    kinds = ((PermissionError, errno.EACCES), (FileNotFoundError, errno.ENOENT))
    return next((number for kind, number in kinds if isinstance(error, kind)), None)


def of_storage(error: Exception) -> str:
    """Return what a library says about what is stored, and what to do; empty for other errors."""
    if not type(error).__module__.startswith(_STORED):
        return ""
    what = str(error).strip().partition("\n")[0].rstrip(".")
    number = _number_in(what)
    if number:
        return _with_remedy(what, number)
    return f"Something stored cannot be read: {what}. {UNREADABLE}."


def _number_in(text: str) -> int | None:
    """Return the number of the system's error whose words a text has; None without any."""
    return next((number for words, number in _WORDS.items() if words in text), None)


def of_step(title: str, error: Any) -> str:  # noqa: ANN401 - Dagster's serialized error
    """Return why a step failed: the first error of ours, or else the innermost cause.

    Args:
        title: The step: `mart/findings`.
        error: A SerializableErrorInfo: message, cls_name, cause.
    """
    while error.cause is not None and not (error.message or "").startswith(_OURS):
        error = error.cause
    message = _without_class(error.message.strip(), error.cls_name or "")
    number = _NUMBER.match(message)
    if number:
        return f"{title} failed: {_with_remedy(message[number.end() :], int(number[1]))}"
    if (error.message or "").startswith(_OURS):
        return message
    what = message.partition("\n")[0]
    if error.cls_name == MemoryError.__name__:
        return f"{title} failed: {MEMORY}"
    if number_of := _number_in(what):
        return f"{title} failed: {_with_remedy(what, number_of)}"
    return f"{title} failed: {error.cls_name}: {what}"


def distinct(sentences: Iterable[str]) -> list[str]:
    """Return sentences without those that name the same fault of the machine at another place.

    A full disk fails every step that follows: the first says it, and the rest are counted.
    """
    kept: dict[object, str] = {}
    left = 0
    for sentence in dict.fromkeys(sentences):
        number = _number_in(sentence)
        left += number in kept
        kept.setdefault(number or sentence, sentence)
    more = f"The same error ended {counted(left, 'more step')}." if left else ""
    return [*kept.values(), *filter(None, [more])]


def _with_remedy(what: str, number: int | None) -> str:
    remedy = REMEDIES.get(number or 0, "Correct that")
    return f"{what}. {remedy}, then run the command again."


def _without_class(message: str, name: str) -> str:
    """Return a message without the name of its class in front: `a.b.Name: text`."""
    head, colon, text = message.partition(": ")
    return text if colon and head.rpartition(".")[2] == name else message
