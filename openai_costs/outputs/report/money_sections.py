"""The sections about what could be spent less: savings and seats. Pure.

What is not set up has a sentence and an example to copy, where its rows would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import NONE, counted, dollars
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.address import address
from openai_costs.outputs.report.judged import BY_DIRECTORY
from openai_costs.outputs.report.section import Cell, Row, Section, beyond, number
from openai_costs.questions.provider_scope import OPTIMIZATION, SEATS, left_out

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openai_costs.outputs.report.judged import Judged

_MOST: Final = 40
_MOST_SAVINGS: Final = 3
_TITLES: Final = {
    "optimization.cache_reads": "Cache more of the input",
    "optimization.batch_or_flex": "Use batch or flex",
    "optimization.cheaper_successor": "Use the cheaper successor",
    "optimization.idle": "Remove what is unused",
    "optimization.duplicate": "Give each a name of its own",
    "optimization.long_context": "Shorten the context",
}
_SEATS: Final = {
    "left": "left the company",
    "unmatched": "not in the company directory",
    "alias": "listed under another address",
    "service_account": "service account",
    "invited": "invited",
    "matched": "listed",
}
_NAME: Final = pl.coalesce("subject_name", "subject")


SAVINGS_BASIS: Final = "In 30 days, at list prices; savings may overlap"


class Saving(NamedTuple):
    """A saving of the first screen: how much, what to do with which thing, and its view."""

    usd: str
    text: str
    address: str


def newest_savings(optimization: pl.DataFrame) -> pl.DataFrame:
    """Return the newest rows of mart.optimization of each connection, the largest saving first."""
    last = pl.col("day") == pl.col("day").max().over("connection")
    return optimization.filter(last).sort(
        "saving_usd", "rule", "subject", descending=[True, False, False]
    )


def largest_savings(optimization: pl.DataFrame) -> tuple[tuple[Saving, ...], int]:
    """Return the largest savings, and how many more there are with dollars.

    Args:
        optimization: mart.optimization.
    """
    rows = newest_savings(optimization).filter(pl.col("saving_usd") > 0)
    is_alike = pl.col("connection").n_unique().over("subject_kind", _NAME, "model") > 1
    largest = rows.with_columns(is_alike=is_alike).head(_MOST_SAVINGS)
    shown = tuple(
        Saving(dollars(row["saving_usd"]), f"{_TITLES[row['rule']]}: {_what(row)}", _view(row))
        for row in largest.iter_rows(named=True)
    )
    return shown, rows.height - len(shown)


def savings_section(
    optimization: pl.DataFrame, judged: Judged, hosts: Iterable[str] = ()
) -> Section:
    """Return what could be saved, with the arithmetic.

    Args:
        optimization: mart.optimization.
        judged: What was looked for.
        hosts: Who invoices.
    """
    rows = newest_savings(optimization)
    others = [*left_out(OPTIMIZATION, hosts)]
    if rows.is_empty():
        return Section("savings", "Savings", " ".join([judged.no_saving, *others]))
    first, last = str(rows["period_start"].min()), str(rows["day"].max())
    return Section(
        id="savings",
        title="Savings",
        summary=f"How much less {first} to {last} would have cost, at list prices. Savings of one "
        "key or project may overlap, so that no total stands here.",
        head=("What", "Saving, USD", "Billed, USD", "How", "Connection"),
        rows=tuple(
            Row(
                cells=(
                    Cell(_what(row)),
                    number(dollars(row["saving_usd"])),
                    number(dollars(row["billed_usd"])),
                    Cell(_TITLES[row["rule"]]),
                    Cell(without_domains(row["connection"])),
                ),
                address=_view(row),
                about=without_domains(row["because"]),
            )
            for row in rows.head(_MOST).iter_rows(named=True)
        ),
        more=" ".join([beyond(rows.height, _MOST, "mart.optimization"), *others]).strip(),
    )


def _what(row: dict[str, Any]) -> str:
    name = without_domains(row["subject_name"] or row["subject"])
    model = row["model"] if row["model"] and row["model"] not in name else ""
    place = f"connection {without_domains(row['connection'])}" if row.get("is_alike") else ""
    return ", ".join(filter(None, (name, model, place)))


def _view(row: dict[str, Any]) -> str:
    subject = str(row["subject"]).split(" ", maxsplit=1)[0]
    days: tuple[date, date] = (row["period_start"], row["day"])
    filters = {"model": row["model"]} if row["model"] else {}
    place = {"connection": row["connection"]}
    return address(place | filters | {row["subject_kind"]: subject}, days=days)


def seats_section(seats: pl.DataFrame, judged: Judged, hosts: Iterable[str] = ()) -> Section:
    """Return who holds a seat and may not need it: who left, who is not listed, who is idle.

    Args:
        seats: mart.seats. Its e-mail addresses stay there.
        judged: What was looked for.
        hosts: Who invoices.
    """
    odd = seats.filter(
        pl.col("is_current") | (pl.col("spend_30d_usd") != 0),
        pl.col("status").is_in(["left", "unmatched"]) | pl.col("is_idle"),
    ).sort(
        pl.col("status").is_in(["left", "unmatched"]).fill_null(value=False),
        "spend_30d_usd",
        "user_id",
        descending=[True, True, False],
    )
    current = seats.filter("is_current").height
    asked = (
        ""
        if seats["status"].is_in(BY_DIRECTORY).any()
        else (
            " No company directory is set up that seats could be compared with: see [directory] in "
            "docs/operations.md."
        )
    )
    return Section(
        id="seats",
        title="Seats",
        summary=f"Listed now: {counted(current, 'seat')} (members, invitations, service accounts); "
        f"{odd.height} below need attention.{asked}{judged.no_idle_seat}",
        head=(
            "Who",
            "Last 30 days, USD",
            "Seat, USD a month",
            "Status",
            "Last active",
            "Connection",
        ),
        rows=tuple(_seat(row) for row in odd.head(_MOST).iter_rows(named=True)),
        more=" ".join([beyond(odd.height, _MOST, "mart.seats"), *left_out(SEATS, hosts)]).strip(),
    )


def _seat(row: dict[str, Any]) -> Row:
    status = _SEATS.get(row["status"] or "", "")
    since = f" on {row['left_day']}" if row["left_day"] else ""
    idle = "idle" if row["is_idle"] else ""
    return Row(
        cells=(
            Cell(
                without_domains(row["name"] or row["user_id"]), without_domains(row["team"] or "")
            ),
            number(dollars(row["spend_30d_usd"])),
            number(NONE if row["seat_usd"] is None else dollars(row["seat_usd"])),
            Cell(", ".join(filter(None, (f"{status}{since}", idle)))),
            Cell(str(row["last_active_day"] or NONE)),
            Cell(without_domains(row["connection"])),
        ),
        address=address({"user": row["user_id"]}),
        tone="critical" if row["status"] == "left" and row["spend_after_left_usd"] else "",
    )
