"""What is kept of a day: the rows as they were written, by file, and what they add up to. Pure.

A part for each file: its rows as JSON with their number in the file, and how the file was known:
its path, digest, version (etag) and run. Beside them `control`, added up from the file itself and
not from what is kept, with the runs that had covered the day, and `left_out`: AI charges that the
settings do not take.

Rows of a run whose files are gone stay, unless a newer run replaces them (gone_files.py): a bucket
that keeps three months loses no day of the months before.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
import polars as pl

from openai_costs.kernel.money import NotAnAmount, amount, exact_sum
from openai_costs.sources.exports.covered import NOTHING, Covered, read_again, written
from openai_costs.sources.exports.ownership import CELL
from openai_costs.sources.exports.sheets import ROW, Sheet
from openai_costs.storage.packing import Manifest, Part

ROWS: Final = "rows_"
CONTROL: Final = "control"
LEFT_OUT: Final = "left_out"

Request = tuple[str, list[tuple[str, str]], list[str]]


class Source(NamedTuple):
    """How a file was known when it was read.

    Args:
        path: Where it was.
        sha256: The digest of the whole file.
        etag: What the object store calls this version of it; empty on a disk.
        run: The manifest, folder or file of its run.
        ran_at: When the run was; empty where the vendor does not say.
        dialect: The kind of export.
        estimated: "true" or "false" where the vendor says whether amounts are final.
    """

    path: str
    sha256: str
    etag: str
    run: str
    ran_at: str
    dialect: str
    estimated: str = ""

    def request(self) -> Request:
        """Return it as the archive keeps how a part was read."""
        named = zip(self._fields[1:], self[1:], strict=True)
        return self.path, [(name, text) for name, text in named if text], []

    @classmethod
    def of(cls, part: Part) -> "Source":
        """Return it from what the archive keeps."""
        known = dict(part.params)
        return cls(part.path, *(known.get(name, "") for name in cls._fields[1:]))

    @property
    def instant(self) -> datetime | None:
        """When the run was; None where the vendor does not say."""
        return datetime.fromisoformat(self.ran_at) if self.ran_at else None


class Sum(msgspec.Struct, frozen=True):
    """What the rows of a file add up to in a billing month and a currency; amounts are text."""

    source: str
    month: str
    currency: str
    rows: int
    billed: str
    billed_in_usd: str | None
    accounts: tuple[str, ...] = ()


class LeftOut(msgspec.Struct, frozen=True):
    """Charges for AI that the settings do not take."""

    service: str
    currency: str
    billed: str


class DayPart(NamedTuple):
    """The rows of a day from one file.

    Args:
        source: The file.
        rows: Its rows as they are written, with their number.
        sums: What they add up to.
    """

    source: Source
    rows: pl.DataFrame
    sums: Sequence[Sum]


def sources_of(manifest: Manifest) -> list[Source]:
    """Return the files that a read has rows of."""
    return [Source.of(one) for name, one in manifest.parts.items() if name.startswith(ROWS)]


def covered_by(manifest: Manifest) -> Covered:
    """Return the runs that a read says to have covered its day; nothing of an earlier version."""
    part = manifest.parts.get(CONTROL)
    return read_again(part.params) if part else NOTHING


def newest_run(sources: Iterable[Source]) -> datetime | None:
    """Return when the newest run among some files was; None where none says."""
    return max((at for one in sources if (at := one.instant)), default=None)


def parts_of(sheet: Sheet, source: Source, cells: pl.DataFrame) -> dict[date, DayPart]:
    """Return what a file gives to each day.

    Args:
        sheet: The file, read.
        source: How it was known.
        cells: The cells that it owns.
    """
    mine = sheet.facts.filter("is_taken").join(
        cells.filter(file=sheet.name), on=list(CELL), how="semi", nulls_equal=True
    )
    totals: dict[date, list[Sum]] = {}
    for day, one in dated_sums(source.path, mine.drop_nulls("day")):
        totals.setdefault(day, []).append(one)
    rows = _by_day(sheet.rows, mine.select(ROW, "day"))
    return {day: DayPart(source, rows[day], its) for day, its in totals.items()}


def left_out_of(sheet: Sheet, cells: pl.DataFrame) -> dict[date, list[LeftOut]]:
    """Return the AI charges of a file that the settings do not take, by day.

    Args:
        sheet: The file, read.
        cells: The cells and their files: what is in a cell of another file does not count.
    """
    found: dict[date, list[LeftOut]] = {}
    others = cells.join(cells.filter(file=sheet.name), on=list(CELL), how="anti", nulls_equal=True)
    strange = sheet.facts.filter("is_left_out", pl.col("day").is_not_null()).join(
        others, on=list(CELL), how="anti", nulls_equal=True
    )
    keys = ["day", "service", "currency"]
    for (day, service, currency), its in strange.group_by(keys, maintain_order=True):
        usd = _total([text for text in its["billed"] if is_number(text)])
        if usd and isinstance(day, date):
            one = LeftOut(str(service), str(currency), f"{usd:f}")
            found.setdefault(day, []).append(one)
    return found


def bodies(
    parts: Sequence[DayPart], left_out: Sequence[LeftOut], covered: Covered = NOTHING
) -> tuple[dict[str, Request], dict[str, bytes]]:
    """Return a day as the archive keeps it: how each member was read, and its bytes."""
    ordered = sorted(parts, key=lambda one: one.source.path)
    totals = [one for part in ordered for one in part.sums]
    members = {CONTROL: msgspec.json.encode(totals), LEFT_OUT: msgspec.json.encode(left_out)}
    requests: dict[str, Request] = {name: (name, [], []) for name in members}
    requests[CONTROL] = CONTROL, written(covered), []
    for number, part in enumerate(ordered):
        filled = [one.name for one in part.rows if one.null_count() < part.rows.height]
        members[f"{ROWS}{number}"] = part.rows.select(filled).write_json().encode()
        requests[f"{ROWS}{number}"] = part.source.request()
    return requests, members


def digest(members: Mapping[str, bytes]) -> str:
    """Return what changes where anything that is kept of a day changes."""
    found = hashlib.sha256()
    for name, body in sorted(members.items()):
        found.update(name.encode() + b"\0" + body + b"\0")
    return found.hexdigest()


def billing_months(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the billing months of the rows that are kept of a day."""
    totals = msgspec.json.decode(members[CONTROL], type=list[Sum])
    return tuple(sorted({one.month for one in totals}))


def sums(source: str, rows: pl.DataFrame) -> list[Sum]:
    """Return what the dated facts of a file's rows add up to, as of one day.

    Args:
        source: The path of the file.
        rows: The facts.
    """
    return [one for _, one in dated_sums(source, rows.with_columns(day=pl.lit(date.min)))]


def dated_sums(source: str, rows: pl.DataFrame) -> Iterator[tuple[date, Sum]]:
    """Yield what the dated facts of a file's rows add up to, by day.

    Args:
        source: The path of the file.
        rows: The facts.
    """
    facts = rows.group_by("day", "month", "currency", maintain_order=True).agg(
        pl.len(), "billed", "billed_in_usd", pl.col("account").drop_nulls().unique().sort()
    )
    for day, month, currency, height, billed, in_usd, accounts in facts.iter_rows():
        total_usd = None if None in in_usd else f"{_total(in_usd):f}"
        yield (
            day,
            Sum(
                source,
                f"{month:%Y-%m}",
                str(currency),
                height,
                f"{_total(billed):f}",
                total_usd,
                tuple(accounts),
            ),
        )


def _total(texts: Iterable[str]) -> Decimal:
    return exact_sum(map(Decimal, texts))


def is_number(text: str | None) -> bool:
    """Return whether a text is an amount: a finite number of less than a trillion."""
    with suppress(NotAnAmount):
        return text is not None and amount(text).is_finite()
    return False


def _by_day(rows: pl.DataFrame, days: pl.DataFrame) -> dict[date, pl.DataFrame]:
    """Return rows by the days of theirs: ROW, day."""
    places = rows.select(ROW).with_row_index("place").join(days, on=ROW, maintain_order="left")
    by_day = places.group_by("day").agg("place")
    return {day: rows[its] for day, its in zip(by_day["day"], by_day["place"], strict=True)}
