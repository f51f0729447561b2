"""Amounts of another currency than the dollar, in dollars by the rule of the settings. Pure.

Without a rule such amounts are refused. The amount, its currency and the rate are kept.
"""

import re
from collections.abc import Mapping
from decimal import MAX_PREC, Context, Decimal
from typing import Final, Literal

import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.dialects import Dialect
from openai_costs.sources.exports.text_tables import AGAIN, row_place

USD: Final = "USD"
CODE: Final = r"[A-Z]{3}"
IN_FILE: Final = "x_BilledCostInUsd"
"""Azure's column of dollars beside the currency of the invoice."""

Rate = Decimal | Mapping[str, Decimal] | Literal["x_BilledCostInUsd"] | None

_WIDE: Final = Context(prec=MAX_PREC)


class Currency:
    """The rule of a connection.

    Args:
        code: The currency that the settings name; None for dollars alone.
        usd_per_unit: Dollars for one unit: a number, one for each month, or the file's own column.
    """

    def __init__(self, code: str | None, usd_per_unit: Rate) -> None:
        self.code, self.usd_per_unit = code, usd_per_unit

    def refuse_without_rate(self, name: str, rows: pl.DataFrame, dialect: Dialect) -> None:
        """Refuse a file with an amount that cannot be converted.

        Raises:
            FileRefused: Names file, row, column and what the settings lack.
        """
        for one in rows.filter(pl.col("currency") != USD).iter_rows(named=True):
            if why := self._objection(one):
                place = f"{row_place(name, one['row'])}, {dialect.column('currency')}"
                raise FileRefused(place, *why)

    def _objection(self, one: Mapping[str, object]) -> tuple[str, str] | None:
        code, month = one["currency"], f"{one['month']:%Y-%m}"
        rule = f'currency = "{code}" and usd_per_unit'
        if not re.fullmatch(CODE, str(code)):
            return f"is {code}, and a currency has a code of three capital letters", AGAIN
        if code != self.code:
            return f"is {code}, and the connection names no rate", f"Set {rule} in its settings."
        if self.rate(month) is None and not _is_known(one):
            where = f"for {month} " if isinstance(self.usd_per_unit, Mapping) else ""
            return f"is {code}, and there is no rate {where}in the settings", f"Set {rule}."
        return None

    def rate(self, month: str) -> Decimal | None:
        """Return dollars for one unit in a month; None where the file's own column has them."""
        found = self.usd_per_unit
        if isinstance(found, Mapping):
            return found.get(month)
        return found if isinstance(found, Decimal) else None

    def usd(self, code: str, amount: str, in_usd: str | None, month: str) -> str | None:
        """Return an amount in dollars, exact and as text; None where there is no rate.

        Args:
            code: Its currency.
            amount: The amount as it is written.
            in_usd: The same in the file's own column of dollars.
            month: Its billing month.
        """
        if code == USD:
            return amount
        rate = self.rate(month)
        return f"{_WIDE.multiply(Decimal(amount), rate):f}" if rate is not None else in_usd

    def rate_text(self, code: str, month: str) -> str | None:
        """Return the rate as it is kept with a charge; None for dollars."""
        if code == USD:
            return None
        rate = self.rate(month)
        return f"{rate:f}" if rate is not None else IN_FILE


def _is_known(one: Mapping[str, object]) -> bool:
    """Return whether the file's own column has the dollars: a 0 beside an amount is unknown."""
    in_usd = one["billed_in_usd"]
    return isinstance(in_usd, str) and (Decimal(in_usd) != 0 or Decimal(str(one["billed"])) == 0)
