"""The finished lists of a reading that is not complete: kept at once, one file per list.

A reading of a large organisation takes the better part of an hour. One that was interrupted goes on
from here on the same UTC day; the folder is gone as soon as the whole reading is in the archive.
"""

from dataclasses import dataclass
from datetime import date

import msgspec
from upath import UPath

from openai_costs.sources.openai.directory.protocol import ListRead, Question
from openai_costs.storage import remove_folder, replace_file

FOLDER = "directory-unfinished"


@dataclass(frozen=True)
class Unfinished:
    """What an unfinished reading of a day has so far.

    Args:
        folder: The folder of a connection's unfinished readings.
        day: The day.
    """

    folder: UPath
    day: date

    def find(self, question: Question) -> ListRead | None:
        """Return a list that was finished before; None when it has to be read."""
        try:
            return msgspec.msgpack.decode(self._file(question).read_bytes(), type=ListRead)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, question: Question, read: ListRead) -> None:
        """Keep a finished list."""
        replace_file(self._file(question), msgspec.msgpack.encode(read))

    def clear(self) -> None:
        """Forget everything, also what was left by other days."""
        remove_folder(self.folder)

    def _file(self, question: Question) -> UPath:
        return self.folder / str(self.day) / f"{question.name}.msgpack"
