"""What the place of a file and its manifest say of the run that wrote it. Pure.

A run is what an export wrote at one time. The vendor says which files it has (a manifest), for
which time (a manifest, or a folder of the path), and when it ran (the same two). The name of a file
alone says nothing: an older run may have left files beside those of a newer one.

- AWS Data Exports: `<export>/data/BILLING_PERIOD=2026-11/[<instant>-<execution>/]<file>`, and
  `<export>/metadata/...` with `<name>-Manifest.json`.
  https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html
- Azure: `<export>/20261101-20261130/[<instant>/]<run>/<file>` with `manifest.json` beside it.
  https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports
- Anything else: a folder with the instant of the run in its name, or one file that is a run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from openai_costs.kernel.days import DayRange, month_of
from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.unreadable import UNREADABLE

_MONTH = re.compile(r"(?:.*=)?(\d{4})-(\d{2})")
_SPAN = re.compile(r"(\d{4})(\d{2})(\d{2})-(\d{4})(\d{2})(\d{2})")
_INSTANT = re.compile(
    r"(?:.*[=_])?(?![\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-)"  # a UUID: a subscription
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d{2})(?P=dash)(?P<day>\d{2})(?P<mark>[T_-]?)"
    r"(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?(?:[.:]\d+)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2}(?=-|$))?(?:-.*)?"
)
_YEARS: Final = range(2000, 2100)
"""Of exports: other numbers are those of an account, a cost centre or an invoice."""
_FILES: Final = ("dataFiles", "reportKeys", "blobs")
"""How manifests name their list of files."""
_RAN: Final = ("submittedTime", "executionCreatedDateTime", "executionStartDateTime", "createdAt")
"""How manifests name the instant of their run."""
_CUSTOM: Final = "custom"


class Place(NamedTuple):
    """What the path of a file says.

    Args:
        export: The folder of the export; the file itself where no folder says more.
        run: The folder that has the instant of the run; the file itself where none has.
        days: The days that the run is about; None where unknown.
        ran_at: When it ran; None where unknown.
    """

    export: str
    run: str
    days: DayRange | None
    ran_at: datetime | None


class RunManifest(NamedTuple):
    """What a manifest says.

    Args:
        files: The ends of the paths of its files.
        days: The days that the run is about; None where it does not say.
        is_whole_months: Whether these are billing months, with charges of other days in them.
        ran_at: When it ran; None where it does not say.
    """

    files: tuple[str, ...]
    days: DayRange | None
    is_whole_months: bool
    ran_at: datetime | None


def placed(path: str, root: int = 0) -> Place:
    """Return what the path of a file says of its run.

    Args:
        path: The path.
        root: How many folders at its beginning say nothing: those in which the files happen to be.
    """
    folders, days, ran_at = path.split("/")[:-1], None, None
    export, run = path, path
    for depth in range(len(folders), root, -1):
        name, here = folders[depth - 1], "/".join(folders[:depth])
        if days is None and (span := _span(name)) is not None:
            days = span
        elif ran_at is None and (at := _instant(name, is_above_days=days is not None)) is not None:
            ran_at, run = at, here
        else:
            continue
        export = "/".join(folders[: depth - 1])
    return Place(export, run, days, ran_at)


def is_of(export: str, path: str) -> bool:
    """Return whether a file, which may be gone, is of an export that has files."""
    is_below = path.startswith(f"{export}/")
    return is_below and placed(path, export.count("/") + 1).export == export


def manifest_folders(path: str) -> Iterator[str]:
    """Yield the folders in which the manifest of a file may be, the nearest first."""
    folder = path.rpartition("/")[0]
    yield folder
    head, found, rest = folder.rpartition("/data/")
    if found:
        yield f"{head}/metadata/{rest}"


def manifest(name: str, content: bytes) -> RunManifest:
    """Return what a manifest says.

    Args:
        name: Its path, for messages.
        content: Its bytes.

    Raises:
        FileRefused: It is not whole, or names no files.
    """
    try:
        said = msgspec.json.decode(content)
    except UNREADABLE:
        said = None
    if not isinstance(said, dict) or not (files := tuple(_files(said))):
        why = "is not a manifest that names the files of a run"
        raise FileRefused(name, why, "The export may be writing it: try again later.")
    ran = _inner(said, "runInfo")
    span = _days(ran.get("startDate"), ran.get("endDate")) or _period(said)
    frame = str(_inner(said, "exportConfig").get("timeFrame", "")).lower()
    at = next(filter(None, (_ran_at({**said, **ran}, one) for one in _RAN)), None)
    return RunManifest(files, span, frame != _CUSTOM and _is_months(span), at)


def months(days: DayRange) -> list[date]:
    """Return the first day of each month that some days touch."""
    return sorted({day.replace(day=1) for day in days})


def _is_months(days: DayRange | None) -> bool:
    return days is not None and days.first.day == 1


def _files(said: Mapping[str, Any]) -> Iterator[str]:
    for kind in _FILES:
        listed = said.get(kind)
        for one in listed if isinstance(listed, list) else ():
            text = one.get("blobName") if isinstance(one, dict) else one
            if isinstance(text, str) and text:
                yield text.partition("://")[2].partition("/")[2] if "://" in text else text


def _inner(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _period(said: Mapping[str, Any]) -> DayRange | None:
    """Return the billing period of AWS's older reports, whose end is not included."""
    found = _inner(said, "billingPeriod")
    first = _instant(str(found.get("start", "")))
    return month_of(first.date()) if first else None


def _days(first: object, last: object) -> DayRange | None:
    if not (isinstance(first, str) and isinstance(last, str)):
        return None
    try:
        found = date.fromisoformat(first[:10]), date.fromisoformat(last[:10])
    except ValueError:
        return None
    return DayRange(*found) if found[0] <= found[1] else None


def _ran_at(said: Mapping[str, Any], name: str) -> datetime | None:
    text = said.get(name)
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        return at.astimezone(UTC) if at and at.tzinfo else at.replace(tzinfo=UTC) if at else None
    except (ValueError, OverflowError):  # the last hours of the year 9999, west of Greenwich
        return None


def _span(name: str) -> DayRange | None:
    if found := _SPAN.fullmatch(name):
        first, last = _date(found.groups()[:3]), _date(found.groups()[3:])
        return DayRange(first, last) if first and last and first <= last else None
    if (found := _MONTH.fullmatch(name)) and (first := _date((*found.groups(), "01"))):
        return month_of(first)
    return None


def _instant(name: str, *, is_above_days: bool = False) -> datetime | None:
    """Return the instant that a name says.

    Args:
        name: The name.
        is_above_days: Whether its folder is above that of the days: twelve digits are an account
            there, as AWS and Google number theirs. Azure writes such an instant below the days.
    """
    found = _INSTANT.fullmatch(name)
    if not found or not _date(found.group("year", "month", "day")):
        return None
    if is_above_days and not any(found.group("mark", "second", "zone")):
        return None
    day, second = "-".join(found.group("year", "month", "day")), found["second"] or "00"
    text = f"{day}T{found['hour']}:{found['minute']}:{second}{found['zone'] or 'Z'}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _date(parts: Sequence[str]) -> date | None:
    try:
        found = date(*map(int, parts))
    except ValueError:
        return None
    return found if found.year in _YEARS else None
