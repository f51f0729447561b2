"""Reads an organization's whole directory, list by list, as one read of the day.

Not here: what is asked (protocol.py), what is kept on the way (source.py).
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import msgspec
from upath import UPath

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.connection import NAME, connect
from openai_costs.sources.openai.hints import recall
from openai_costs.sources.openai.organization.endpoints import API_KEYS, DATASET, PROJECTS
from openai_costs.sources.openai.organization.protocol import (
    ListRead,
    Question,
    earliest_made,
    of_organization,
    of_project,
    project_ids,
    read_or_refused,
)
from openai_costs.sources.openai.reader import LEDGER_NOTE
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead
from openai_costs.storage.files import remove_folder, replace_file

# The finished lists of a reading that is not complete: kept at once, one file per list. A reading
# of a large organization takes the better part of an hour. One that was interrupted goes on from
# here on the same UTC day; the folder is gone as soon as the whole reading is in the archive.

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
        except (FileNotFoundError, *UNREADABLE):
            return None

    def keep(self, question: Question, read: ListRead) -> None:
        """Keep a finished list."""
        replace_file(self._file(question), msgspec.msgpack.encode(read))

    def clear(self) -> None:
        """Forget everything, also what was left by other days."""
        remove_folder(self.folder)

    def _file(self, question: Question) -> UPath:
        return self.folder / str(self.day) / f"{question.name}.msgpack"


REPORT_EVERY = timedelta(minutes=1)

Lists = dict[Question, ListRead]


class OpenAIDirectory(RunReader):
    """Reads who and what there is in OpenAI organizations."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield the whole directory as one read of the last of `days`: what there is is of now.

        Raises:
            ReadFailed: The directory could not be completed; its finished lists are kept for the
                next try of the same day.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        read_at = self.clock()
        unfinished = Unfinished(self.archive.room(NAME, connection.name, FOLDER), days.last)
        with closing(connect(self.settings, connection, self.reach, tell)) as transport:
            progress = _Progress(connection.name, tell, self.clock, transport.pace)
            lists = _everything(transport, unfinished, progress)
        yield _as_read(connection, days, read_at, lists)
        # Only here, after the caller has kept it: a kill in between costs nothing but this folder.
        unfinished.clear()
        self._remember_start(connection, lists)

    def _remember_start(self, connection: Connection, lists: Lists) -> None:
        """Note the day the oldest thing was made, when it is older than what was known."""
        dated = (read.pages for one, read in lists.items() if one.endpoint in (PROJECTS, API_KEYS))
        created = earliest_made(dated)
        note = self.archive.note(NAME, connection.name, LEDGER_NOTE)
        hints = recall(note)
        if created is not None and (hints.created is None or created < hints.created):
            write_note(note, hints.with_created(created))


@dataclass
class _Progress:
    """Reports how far a reading has come: at its start, every minute, and at its end."""

    name: str
    tell: Tell
    clock: Clock
    pace: int
    began: datetime = field(init=False)
    reported: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.reported = self.clock()

    def report(self, done: int, total: int) -> None:
        """Report how many projects of how many are done, where it is time to."""
        now = self.clock()
        if 0 < done < total and now - self.reported < REPORT_EVERY:
            return
        self.reported = now
        left = self._minutes_left(done, total, now - self.began)
        about = f", about {left} min left" if left else ""
        self.tell(f"{self.name}: directory {done} of {total} projects{about}")

    def _minutes_left(self, done: int, total: int, spent: timedelta) -> int:
        """Return at least what the pace allows, more when it has been slower so far."""
        by_pace = (total - done) / self.pace if self.pace else 0
        so_far = spent / timedelta(minutes=1) / done * (total - done) if done else 0
        return math.ceil(max(by_pace, so_far))


def _everything(transport: Transport, unfinished: Unfinished, progress: _Progress) -> Lists:
    """Read every list: all of one project before the next, because each list has its own pace."""
    lists: Lists = {}

    def read(questions: Sequence[Question]) -> None:
        for question in questions:
            found = unfinished.find(question)
            if found is None:
                found = hold(read_or_refused(question), transport)
                unfinished.keep(question, found)
            lists[question] = found

    projects = Question(PROJECTS)
    read([projects, *of_organization()])
    ids = project_ids(lists[projects].pages)
    for done, project_id in enumerate(ids):
        progress.report(done, len(ids))
        read(of_project(project_id))
    progress.report(len(ids), len(ids))
    return lists


def _as_read(connection: Connection, days: DayRange, read_at: datetime, lists: Lists) -> DayRead:
    """Put lists together: one part per page, named `users.0` or `api_keys.proj_x.0`."""
    pages = {
        f"{question.name}.{number}": page
        for question, read in lists.items()
        for number, page in enumerate(read.pages)
    }
    return DayRead(
        NAME,
        connection.name,
        DATASET,
        days.last,
        read_at,
        {part: page.get.as_kept() for part, page in pages.items()},
        {part: page.body for part, page in pages.items()},
        {question.name: read.absent for question, read in lists.items() if read.absent},
    )
