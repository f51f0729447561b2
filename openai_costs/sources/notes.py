"""Notes beside a connection's reads: what is known of it without opening them.

A note is never evidence: one that is lost, or cannot be read, costs some requests or openings. Not
here: what is noted (a source's own modules).
"""

from typing import TypeVar

import msgspec
from upath import UPath

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.files import content_of, replace_file

T = TypeVar("T")


def read_note(note: UPath, kind: type[T]) -> T | None:
    """Return what a note says; None where it is not there or cannot be read."""
    try:
        return msgspec.json.decode(content_of(note), type=kind)
    except (FileNotFoundError, *UNREADABLE):
        return None


def write_note(note: UPath, known: object) -> None:
    """Replace a note, in lines that a person can read."""
    replace_file(note, msgspec.json.format(msgspec.json.encode(known)))
