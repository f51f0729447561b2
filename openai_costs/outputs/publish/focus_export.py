"""FOCUS rows of a month as one file for another tool, from the published database."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

import duckdb
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted, exact_dollars
from openai_costs.kernel.spreadsheets import cell_sql
from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.focus_files import of_month
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.storage.files import replace_file
from openai_costs.storage.moving import on_this_machine
from openai_costs.storage.sql import connected
from openai_costs.tables.core.spend_control import SpendControl

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER"}
)


@dataclass(frozen=True)
class Exported:
    """A file of FOCUS rows.

    Args:
        file: Where it is.
        rows: How many it has.
        billed_usd: What their BilledCost adds up to.
        control_usd: The control totals of the month.
    """

    file: UPath
    rows: int
    billed_usd: Decimal
    control_usd: Decimal

    def __str__(self) -> str:
        """Say what was written, and that it is the bill."""
        gap = exact_dollars(self.billed_usd - self.control_usd)
        return (
            f"{self.file}: {counted(self.rows, 'row')}, BilledCost "
            f"{exact_dollars(self.billed_usd)}; the control totals of the month are "
            f"{exact_dollars(self.control_usd)} (difference {gap})."
        )


def export_month(
    home: UPath, month: str, kind: str, out: Path, key: SecretStr | None = None
) -> Exported:
    """Write the FOCUS rows of a month, all or nothing.

    Args:
        home: Whose publication.
        month: As `2026-11`.
        kind: One of `FORMATS`.
        out: The folder; made if it is not there.
        key: What opens an encrypted publication.

    Raises:
        DatabaseLocked: It is encrypted, and this is not its key.
        SettingsError: Nothing was published, or the month has no rows: the sentence says which
            months have.
    """
    first = date.fromisoformat(f"{month}-01")
    last = first.replace(day=monthrange(first.year, first.month)[1])
    if not (home / DATABASE).exists():
        raise SettingsError(
            f"Nothing is published in {home}, so there is nothing to export. Run openai-costs "
            "backfill, which publishes."
        )
    target = UPath(out.absolute()) / f"focus-{month}.{kind}"
    with (
        TemporaryDirectory() as scratch,
        connected(on_this_machine(home / DATABASE, Path(scratch)), read_only=True, key=key) as sql,
    ):
        rows, billed = sql.sql(f"SELECT count(*), sum(BilledCost) {of_month(month)}").fetchall()[0]
        if not rows:
            raise SettingsError(_nothing(sql, home, month))
        days = f"day BETWEEN DATE '{first}' AND DATE '{last}'"
        control = f"SELECT sum(billed_usd) FROM {SpendControl.full_name()} WHERE {days}"  # noqa: S608 - our own names
        usd = sql.sql(control).fetchall()[0][0]
        built = Path(scratch) / target.name
        order = "ORDER BY x_Connection, ChargePeriodStart, SkuId, SubAccountId, ResourceId"
        chosen = f"SELECT {_safe_columns(sql)}" if kind == "csv" else ""
        sql.execute(
            f"COPY ({chosen} {of_month(month)} {order}) TO {literal(built)} ({FORMATS[kind]})"
        )
        replace_file(target, built.read_bytes())
    return Exported(target, rows, billed, usd or Decimal(0))


def _safe_columns(sql: duckdb.DuckDBPyConnection) -> str:
    """Return the columns of bi.focus, with text that no spreadsheet takes for a formula."""
    columns = sql.sql("DESCRIBE bi.focus").fetchall()
    texts = [name for name, kind, *_ in columns if kind == "VARCHAR"]
    return f"* REPLACE ({', '.join(f'{cell_sql(one)} AS {one}' for one in texts)})"


def _nothing(sql: duckdb.DuckDBPyConnection, home: UPath, month: str) -> str:
    known = sql.sql("SELECT min(BillingPeriodStart), max(BillingPeriodStart) FROM bi.focus")
    first, last = known.fetchall()[0]
    there = f"It has {first[:7]} to {last[:7]}." if first else "It has no month with dollars."
    return f"No dollars of {month} are published in {home}, so nothing was written. {there}"
