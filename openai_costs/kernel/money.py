"""Amounts, from the text on the wire to DECIMAL(38,18) without a float on the way.

Pure. Not here: currencies other than the dollar (refused at the door), prices, any question.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

import polars as pl

MONEY = pl.Decimal(38, 18)
SMALLEST = Decimal("1E-18")
FLOAT_NOISE = Decimal("1E-9")
"""What a vendor that adds or multiplies in binary is off by less than, on a line or a day."""

WIDE = Context(prec=60)
"""Enough for a product of two DECIMAL(38,18) without rounding on the way."""

TOO_LARGE = Decimal(1_000_000_000_000)
"""No line of a day costs a trillion dollars; an amount that says so is a mistake. Spelled out,
because Polars overlooks the exponent of Decimal("1E+12") in a comparison."""

NO_ROOM = Decimal(99_999_999_999_999_999_999)
"""What DECIMAL(38,18) has no room for, rounded. A quantity may be that large, such as byte-seconds:
its dollars are known all the same."""

_TINY = Decimal("0.00000001")
"""What TOO_LARGE can be divided by: the quotient has 20 digits before the point."""

_WIDEST = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_SAFE_LENGTH = 18
"""Plain text this short has at most 16 decimals: nothing behind the 18th can be lost."""

_TEXT = pl.col("amount")
_MONEY = _TEXT.cast(MONEY, strict=False)
_IS_DOUBTFUL = (
    _MONEY.is_null()
    | (_TEXT.str.len_bytes() > _SAFE_LENGTH)
    | _TEXT.str.contains_any(["e", "E"])
    | (_MONEY.abs() >= TOO_LARGE)
)
"""One expression: amounts come a few at a time, and each question to Polars has its price."""


class NotAnAmount(ValueError):  # noqa: N818 - the name is the sentence
    """A text is not a finite decimal number in range.

    Args:
        row: The position of the first such text.
        why: What it is instead.
    """

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row, self.why = row, why


class TooPrecise(ValueError):  # noqa: N818 - a question to the caller, seen by nobody else
    """A text has more than 18 decimals, so the texts must be rounded in their own group."""


def exact(texts: Sequence[str], *, may_round: bool = True, below: Decimal = TOO_LARGE) -> pl.Series:
    """Return the texts as DECIMAL(38,18).

    Where texts have more than 18 decimals, each is cut at the 18th and the units that are left go
    to the largest remainders, so that the sum of the column is the exact sum of the texts, rounded
    once (half to even) to 18 decimals. Up to 18 decimals nothing is rounded at all.

    Args:
        texts: The amounts of one total, as written on the wire.
        may_round: Whether they are one total, so that the rounding may be shared among them.
        below: What every amount is less than.

    Raises:
        NotAnAmount: A text is not a number, is NaN or infinite, or is a trillion or more.
        TooPrecise: A text has more than 18 decimals and `may_round` is false.
    """
    raw = pl.Series("amount", texts, dtype=pl.String)
    money, doubtful = raw.to_frame().select(_MONEY, _IS_DOUBTFUL.alias("is_doubtful"))
    if not doubtful.any():
        return money
    precise = {row: amount(texts[row], row, below) for row in doubtful.arg_true()}
    if all(one == _cut(one) for one in precise.values()):
        return money.scatter(
            list(precise), pl.Series(list(map(_cut, precise.values())), dtype=MONEY)
        )
    if not may_round:
        raise TooPrecise
    return pl.Series(
        "amount", share_rounding([amount(one, row, below) for row, one in enumerate(texts)]), MONEY
    )


def exact_where_known(
    texts: Sequence[str | None], *, may_round: bool = True, below: Decimal = TOO_LARGE
) -> pl.Series:
    """Return what `exact` returns of the texts that are there, and null where there is none.

    Args:
        texts: The amounts of one total, some of which are not known.
        may_round: As of `exact`.
        below: As of `exact`.

    Raises:
        NotAnAmount: As `exact` raises it; the row is that among the known ones.
        TooPrecise: As `exact` raises it.
    """
    known = [row for row, one in enumerate(texts) if one is not None]
    there = [one for one in texts if one is not None]
    amounts = exact(there, may_round=may_round, below=below)
    if len(known) == len(texts):
        return amounts
    unknown = pl.Series([None] * len(texts), dtype=MONEY)
    return unknown.scatter(known, amounts) if known else unknown


def exact_quantities(texts: Sequence[str | None], *, may_round: bool = True) -> pl.Series:
    """Return what `exact_where_known` returns, of quantities: null where one has no room.

    Args:
        texts: The quantities, some of which are not known.
        may_round: As of `exact`.

    Raises:
        NotAnAmount: A text is not a finite number; the row is that among the known ones.
        TooPrecise: As `exact` raises it.
    """
    try:
        return exact_where_known(texts, may_round=may_round, below=NO_ROOM)
    except NotAnAmount:
        known = [one for one in texts if one is not None]
        beyond = {one for row, one in enumerate(known) if number(one, row).copy_abs() >= NO_ROOM}
    small = [None if one in beyond else one for one in texts]
    return exact_where_known(small, may_round=may_round, below=NO_ROOM)


def sum_with_room(quantities: pl.Expr) -> pl.Expr:
    """Return the sum of quantities in a group; null without room, which Polars does not notice."""
    whole = quantities.cast(pl.Decimal(38, 0)).abs().sum()
    return pl.when(whole < NO_ROOM).then(quantities.sum())


def exact_amounts(texts: Sequence[str]) -> list[Decimal]:
    """Return what `exact` returns as Python's numbers: for the few amounts of one page.

    Args:
        texts: The amounts of one total, as written on the wire.

    Raises:
        NotAnAmount: As `exact` raises it.
    """
    amounts = [amount(text, row) for row, text in enumerate(texts)]
    cut = list(map(_cut, amounts))
    return cut if cut == amounts else share_rounding(amounts)


def amount(text: str, row: int = 0, below: Decimal = TOO_LARGE) -> Decimal:
    """Return a text as an amount, with every decimal that is written.

    Args:
        text: The amount, as written on the wire.
        row: The position that a refusal names.
        below: What it is less than.

    Raises:
        NotAnAmount: As `exact` raises it.
    """
    found = number(text, row)
    if found.copy_abs() >= below:
        raise NotAnAmount(row, f"is {text[:60]!r}, which is a trillion dollars or more")
    return found


def number(text: str, row: int = 0) -> Decimal:
    """Return a text as a finite number of any size, with every decimal that is written.

    Args:
        text: The number, as written on the wire.
        row: The position that a refusal names.

    Raises:
        NotAnAmount: It is not a finite number.
    """
    if not _NUMBER.fullmatch(text):
        raise NotAnAmount(row, f"is {text[:60]!r}, which is not a finite number")
    return Decimal(text)


def dollars_from_cents(cents: Sequence[str]) -> list[Decimal]:
    """Return amounts of cents, as written on the wire, as dollars.

    Raises:
        NotAnAmount: As `exact` raises it.
    """
    return exact_amounts(
        [str(Decimal(one).scaleb(-2, _WIDEST)) if _NUMBER.fullmatch(one) else one for one in cents]
    )


def unless_tiny(divisor: pl.Expr) -> pl.Expr:
    """Return a divisor, null where it is 0 or so small that a share of it has no room.

    Polars also divides the rows that a condition skips, and fails at the first without room.
    """
    return pl.when(divisor.abs() >= _TINY).then(divisor)


def share_rounding(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Cut amounts to 18 decimals so that their sum is the exact sum, rounded half to even."""
    cut = [_cut(one) for one in amounts]
    rounded = exact_sum(amounts).quantize(SMALLEST, rounding=ROUND_HALF_EVEN, context=_WIDEST)
    units = int((rounded - exact_sum(cut)) / SMALLEST)
    by_remainder = sorted(range(len(amounts)), key=lambda i: (cut[i] - amounts[i], i))
    for i in by_remainder[:units]:
        cut[i] = _WIDEST.add(cut[i], SMALLEST)
    return cut


def total(amounts: pl.Series) -> Decimal:
    """Return the exact sum of a money column; 0 for no rows."""
    found = amounts.sum()
    return found if isinstance(found, Decimal) else Decimal(0)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts, with every digit."""
    found = Decimal(0)
    for one in amounts:
        found = _WIDEST.add(found, one)
    return found


def _cut(one: Decimal) -> Decimal:
    return one.quantize(SMALLEST, rounding=ROUND_FLOOR, context=_WIDEST)
