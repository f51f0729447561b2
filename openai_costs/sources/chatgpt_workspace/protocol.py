"""The files of some days, without any I/O: all of them, each one whole, cut into days. Pure.

The list is paged by the end of the last file. A file is one JSON text a line, an event each; it
counts when its digest is the one in the list. An event may be written days after it happened: a day
is made of every file that ended after it began, up to the newest, whatever other days are read.
"""

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from openai_costs.kernel.days import DayRange, midnight
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.chatgpt_workspace.endpoints import (
    EVENTS,
    MOST_FILES,
    complete_from,
    list_path,
)
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)

LOGS = "logs"
"""The part of a day's read that says which files it is made of."""
OF_FILE = "file."
"""What the name of a part begins with that holds a file's events of the day."""


class LogFile(msgspec.Struct, frozen=True):
    """A file in the list."""

    id: str
    event_type: str
    end_time: datetime
    file_sha256: str
    file_size: int | None = None
    file_name: str | None = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool
    last_end_time: str | None = None


class _Payload(msgspec.Struct):
    day: date


class _Dated(msgspec.Struct):
    event_id: str
    payload: _Payload


class Stray(NamedTuple):
    """An event that no day being read has, in a file in which its day should have none."""

    file: LogFile
    line: bytes


@dataclass
class Events:
    """The cost events of some days, as far as their files were read.

    Args:
        organization: Whose.
        days: The days.
        files: The files that may hold events of them, in the order in which they end.
        entries: The entry of each file in the list, verbatim.
        lines: Of each day, the events in each file, verbatim.
        strays: Of each other day, the events in files that should have none of it.
        unread: The files that were not read yet, in the order in which they end.
    """

    organization: str
    days: DayRange
    files: list[LogFile] = field(default_factory=list)
    entries: dict[str, msgspec.Raw] = field(default_factory=dict)
    lines: dict[date, dict[str, list[bytes]]] = field(default_factory=dict)
    strays: dict[date, list[Stray]] = field(default_factory=dict)
    unread: list[LogFile] = field(default_factory=list)

    @property
    def newest_end(self) -> datetime | None:
        """The end of the newest file that was listed; None where there is none."""
        return self.files[-1].end_time if self.files else None

    def bodies(self, day: date) -> Mapping[str, bytes]:
        """Return what is kept of a day: the entries of its files, and its events in each."""
        events, until = self._of(day), self._until(day)
        entries = b",".join(bytes(self.entries[log]) for log in events)
        listed = b'{"until":%b,"data":[%b]}' % (msgspec.json.encode(until), entries)
        return {LOGS: listed} | {
            f"{OF_FILE}{log}": b"\n".join(lines) + b"\n" for log, lines in events.items()
        }

    def requests(self, day: date) -> Mapping[str, tuple[str, list[tuple[str, str]], list[str]]]:
        """Return how each part of a day was asked for."""
        path = list_path(self.organization)
        first = list_get(self.organization, self.days)
        listed = {LOGS: (path, list(first.params), list[str]())}
        return listed | {
            f"{OF_FILE}{log}": (f"{path}/{log}", list[tuple[str, str]](), list[str]())
            for log in self._of(day)
        }

    def began(self, file: LogFile) -> datetime | None:
        """Return the end of the file before another; None where it is not known."""
        before = [one.end_time for one in self.files if one.end_time < file.end_time]
        return before[-1] if before else None

    def _of(self, day: date) -> dict[str, list[bytes]]:
        """Return the events of a day in each file, in the order in which the files end."""
        events = self.lines[day]
        return {one.id: events[one.id] for one in self.files if one.id in events}

    def _until(self, day: date) -> datetime | None:
        """Return the end of the newest file, where it is after the beginning of a day."""
        newest = self.newest_end
        return newest if newest and newest > midnight(day) else None


def list_get(
    organization: str, days: DayRange, after: str | None = None, limit: int = MOST_FILES
) -> Get:
    """Return the request for a page of the list of files."""
    since = ("after", after or _instant(midnight(days.first)))
    return Get(list_path(organization), (("event_type", EVENTS), since, ("limit", str(limit))))


def list_files(organization: str, days: DayRange) -> Generator[Get, Body, Events]:
    """Find out which files may hold events of some days; none of them is read.

    Raises:
        IncompleteRead: A page of the list makes no sense.
    """
    return (yield from restarted(lambda: _listed(organization, days), list_path(organization)))


def is_without_files(body: Body) -> bool:
    """Return whether a page of the list names no file."""
    try:
        return not msgspec.json.decode(body, type=_Page).data
    except UNREADABLE:
        return False


def read_files(read: Events, first: date) -> Generator[Get, Body, int]:
    """Read every file that ended after a day began and was not read yet; return how many.

    The newest are read first: each file once, however the days are cut.

    Raises:
        IncompleteRead: A file makes no sense, or its digest is another one than in the list.
    """
    left = len(read.unread)
    while read.unread and read.unread[-1].end_time > midnight(first):
        file = read.unread[-1]
        where = f"{list_path(read.organization)}/{file.id}"
        yield from restarted(partial(_file, read, file, where), where)
        read.unread.pop()
    return left - len(read.unread)


def _listed(organization: str, days: DayRange) -> Generator[Get, Body, Events]:
    found = Events(organization, days, lines={day: {} for day in days})

    def end(body: Body, _cursor: str | None) -> PageEnd:
        try:
            page = msgspec.json.decode(body, type=_Page)
            files = [msgspec.json.decode(entry, type=LogFile) for entry in page.data]
        except UNREADABLE as broken:
            raise Garbled(f"the body is not a list of files: {broken}") from None
        for file, entry in zip(files, page.data, strict=True):
            if file.event_type == EVENTS and file.id not in found.entries:
                found.files.append(file)
                found.entries[file.id] = msgspec.Raw(bytes(entry))
        return PageEnd(page.has_more, page.last_end_time or "", not page.data)

    def get(after: str | None) -> Get:
        return list_get(organization, days, after)

    yield from all_pages(Paging(get, end, "last_end_time"))
    found.files.sort(key=lambda file: (file.end_time, file.id))
    found.unread = [*found.files]
    return found


def _file(read: Events, file: LogFile, path: str) -> Generator[Get, Body, None]:
    body = bytes((yield Get(path, (), may_be_large=True)))
    if hashlib.sha256(body).hexdigest() != file.file_sha256.casefold():
        raise Garbled(f"the file {file.id} has a SHA-256 other than the list states")
    lines: dict[date, list[bytes]] = {}
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            lines.setdefault(_day_of(line, f"line {number} of the file {file.id}"), []).append(line)
    for day, its in lines.items():
        if day in read.lines and file.end_time > midnight(day):
            read.lines[day][file.id] = its
        elif not midnight(day) < file.end_time <= complete_from(day):
            read.strays.setdefault(day, []).extend(Stray(file, line) for line in its)


def _day_of(line: bytes, where: str) -> date:
    try:
        return msgspec.json.decode(line, type=_Dated).payload.day
    except UNREADABLE as broken:
        raise Garbled(f"{where} is not an event: {broken}") from None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
