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
_SQLITE = {
    "database or disk is full": REMEDIES[errno.ENOSPC],
    "attempt to write a readonly database": REMEDIES[errno.EACCES],
    "unable to open database file": "Check that this user may read and write there, and that the "
    "disk has space (`df`) and inodes (`df -i`)",
    "disk I/O error": "Check the disk, and that it has space (`df`)",
    "database is locked": "Wait until no other process uses it",
}
"""SQLite has words of its own, and gives neither the system's nor its number."""

_WORDS = {os.strerror(number): remedy for number, remedy in REMEDIES.items()} | _SQLITE
"""What to do by the words of a database or a reader of Parquet, which give no number."""

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
    number = error.errno or _kind(error) or 0
    return _with_remedy(f"{str(what or error).rstrip('.')}{place}", REMEDIES.get(number))


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
    cause = getattr(error, "orig", None)  # SQLAlchemy has that of the database, without its place
    where = "Dagster's history: " if cause else ""
    what = where + str(cause or error).strip().partition("\n")[0].rstrip(".")
    if remedy := _remedy_in(what):
        return _with_remedy(what, remedy)
    return f"Something stored cannot be read: {what}. {UNREADABLE}."


def _remedy_in(text: str) -> str | None:
    """Return what to do about the error of the machine whose words a text has; None without any."""
    return next((remedy for words, remedy in _WORDS.items() if words in text), None)


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
        remedy = REMEDIES.get(int(number[1]))
        return f"{title} failed: {_with_remedy(message[number.end() :], remedy)}"
    if (error.message or "").startswith(_OURS):
        return message
    what = message.partition("\n")[0]
    if error.cls_name == MemoryError.__name__:
        return f"{title} failed: {MEMORY}"
    if remedy := _remedy_in(what):
        return f"{title} failed: {_with_remedy(what, remedy)}"
    return f"{title} failed: {error.cls_name}: {what}"


def distinct(sentences: Iterable[str]) -> list[str]:
    """Return sentences without those that name the same fault of the machine at another place.

    A full disk fails every step that follows: the first says it, and the rest are counted.
    """
    kept: dict[str, str] = {}
    left = 0
    for sentence in dict.fromkeys(sentences):
        remedy = _remedy_in(sentence)
        left += remedy in kept
        kept.setdefault(remedy or sentence, sentence)
    more = f"The same error ended {counted(left, 'more step')}." if left else ""
    return [*kept.values(), *filter(None, [more])]


def _with_remedy(what: str, remedy: str | None) -> str:
    return f"{what}. {remedy or 'Correct that'}, then run the command again."


def _without_class(message: str, name: str) -> str:
    """Return a message without the name of its class in front: `a.b.Name: text`."""
    head, colon, text = message.partition(": ")
    return text if colon and head.rpartition(".")[2] == name else message
