"""Faults of the machine and of steps as sentences: what failed, where, and what to do. Pure.

A full disk or a missing right is no mistake of a user and no defect: a stack trace helps neither.
"""

import errno
import re
from typing import Any

REMEDIES = {
    errno.ENOSPC: "Free some space on that disk",
    errno.EDQUOT: "Free some space in that quota",
    errno.EACCES: "Give this user the right to read and write there",
    errno.EPERM: "Give this user the right to read and write there",
    errno.EROFS: "That file system is read-only: choose another home",
    errno.ENOENT: "Check that the path exists",
    errno.ENOTDIR: "A file is in the place of a folder: move it, or choose another home",
    errno.EMFILE: "Raise the limit of open files",
}
"""What to do about an error of the operating system, by its number."""

_NUMBER = re.compile(r"\[Errno (\d+)\] ")


def of_machine(error: OSError) -> str:
    """Return the cause, the place and the remedy of an error of the operating system."""
    place = f": {error.filename}" if error.filename else ""
    return _with_remedy(f"{error.strerror or error}{place}", error.errno)


def of_step(title: str, error: Any) -> str:  # noqa: ANN401 - Dagster's serialized error
    """Return why a step failed: the innermost cause, without Dagster's own frame around it.

    Args:
        title: The step: `mart/findings`.
        error: A SerializableErrorInfo: message, cls_name, cause.
    """
    while error.cause is not None:
        error = error.cause
    message = _without_class(error.message.strip(), error.cls_name or "")
    number = _NUMBER.match(message)
    if number:
        return f"{title} failed: {_with_remedy(message[number.end() :], int(number[1]))}"
    is_own = (error.message or "").startswith("openai_costs.")
    return message if is_own else f"{title} failed: {error.cls_name}: {message}"


def _with_remedy(what: str, number: int | None) -> str:
    remedy = REMEDIES.get(number or 0, "Correct that")
    return f"{what}. {remedy}, then run the command again."


def _without_class(message: str, name: str) -> str:
    """Return a message without the name of its class in front: `a.b.Name: text`."""
    head, colon, text = message.partition(": ")
    return text if colon and head.rpartition(".")[2] == name else message
