"""Why one key's bill and meter differ for one model on one day: exact parts of the gap. Pure.

Each part is a counterfactual: how much of the gap closes when one input of the meter is replaced by
the bill's. Tokens are valued at the bill's prices, so that

    billed - metered = (bill's tokens - meter's tokens) x bill's price        tokens differ
                     +  meter's tokens x (bill's price - meter's price)       price differs

and the first line splits further. Where one side has more input of one kind and less of another,
the smaller of the two is the same tokens, counted as another kind (cached tokens, cache writes).
What then remains is more or fewer tokens (missing on one side), in their own mix. Credits are left
out of all that, and are a part of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from openai_costs.kernel.money import SMALLEST, WIDE
from openai_costs.questions.token_kinds import KINDS

ZERO = Decimal(0)

RECOUNTED = (
    ("cached_input", "input", "cached_tokens"),
    ("cache_write", "input", "cache_writes"),
    ("cache_write", "cached_input", "cache_writes"),
)
"""Kinds of input that a meter may take for one another, and what that is called."""

Kind = str | None


@dataclass(frozen=True)
class Billed:
    """One usage type of the bill."""

    usd: Decimal
    tokens: Decimal | None = None


@dataclass(frozen=True)
class Metered:
    """What the gateway metered.

    Args:
        usd: Dollars, of what it has a price for.
        tokens: Tokens by kind; None when they are not known by kind.
        unpriced_share: The share of the tokens it has no price for.
    """

    usd: Decimal
    tokens: Mapping[str, Decimal] | None = None
    unpriced_share: Decimal = ZERO


@dataclass
class Piece:
    """One usage type with both sides, and the parts of its gap."""

    usage_type: Kind
    billed_usd: Decimal = ZERO
    metered_usd: Decimal = ZERO
    billed_tokens: Decimal | None = None
    metered_tokens: Decimal | None = None
    recounted_tokens: Decimal = ZERO
    parts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def gap_usd(self) -> Decimal:
        """Billed minus metered."""
        return self.billed_usd - self.metered_usd

    @property
    def lacking_tokens(self) -> Decimal:
        """Tokens that the bill has and the meter has not, also not as another kind."""
        difference = (self.billed_tokens or ZERO) - (self.metered_tokens or ZERO)
        return difference - self.recounted_tokens

    def recount(self, cause: str, tokens: Decimal, rates: Mapping[str, Decimal]) -> None:
        """Account for tokens that the meter counts as another kind, at the bill's price."""
        self.recounted_tokens += tokens
        self.put(cause, (tokens * rates[self.usage_type or ""]).quantize(SMALLEST))

    def put(self, cause: str, usd: Decimal) -> None:
        """Account for some of the gap."""
        if usd:
            self.parts[cause] = self.parts.get(cause, ZERO) + usd

    def put_rest(self, cause: str) -> None:
        """Account for all of the gap that no part accounts for yet."""
        self.put(cause, self.gap_usd - sum(self.parts.values(), ZERO))


Lines = Mapping[Kind, Billed]


def explained(lines: Lines, metered: Metered | None, prices: Mapping[str, Decimal]) -> list[Piece]:
    """Return a piece per usage type; the parts of each add up to its gap.

    Args:
        lines: The bill, by usage type.
        metered: The meter; None when it has nothing of this key and model.
        prices: Dollars a token by usage type, for kinds that the bill's own lines do not price.
    """
    if metered is None:
        return [_whole(kind, line, "missing_on_meter") for kind, line in lines.items()]
    with localcontext(WIDE):
        rates = _rates(lines, prices)
        tokens = metered.tokens or {}
        counted = {kind: n for kind, n in tokens.items() if n}
        if not counted or counted.keys() - rates.keys() or not _is_counted(lines):
            return _opaque(lines, metered)
        others = [one for one in lines.items() if one[0] not in KINDS]
        kinds = [kind for kind in KINDS if kind in lines or kind in counted]
        pieces = _sides(kinds, lines, counted)
        _value(pieces, metered, rates)
        if not lines:
            return _never_billed(pieces)
        _name_token_differences(pieces, rates)
        _name_price_differences(pieces, metered.unpriced_share)
    return pieces + [_whole(kind, line, "missing_on_meter") for kind, line in others]


def _whole(kind: Kind, line: Billed, cause: str, unpriced_share: Decimal = ZERO) -> Piece:
    piece = Piece(kind, billed_usd=line.usd, billed_tokens=line.tokens)
    if kind in KINDS and line.usd > 0:
        piece.put("unpriced_model", (line.usd * unpriced_share).quantize(SMALLEST))
    piece.put_rest(cause)
    return piece


def _never_billed(pieces: list[Piece]) -> list[Piece]:
    for piece in pieces:
        piece.put_rest(_never_billed_cause(piece))
    return pieces


def _never_billed_cause(piece: Piece) -> str:
    """Return the cause of a gap without a bill; dollars metered below 0 are missing nowhere."""
    return "missing_on_bill" if piece.gap_usd < 0 else "unexplained"


def _opaque(lines: Lines, metered: Metered) -> list[Piece]:
    """Return pieces without a reason: tokens or prices are not known on one of the sides."""
    count = sum(metered.tokens.values(), ZERO) if metered.tokens else None
    meter = Piece(None, metered_usd=metered.usd, metered_tokens=count)
    rest = []
    for kind, line in lines.items():
        cause = "unexplained" if kind in KINDS else "missing_on_meter"
        if kind is None:
            meter.billed_usd, meter.billed_tokens = line.usd, line.tokens
        else:
            rest.append(_whole(kind, line, cause, metered.unpriced_share))
    if lines and meter.billed_usd > 0:
        meter.put("unpriced_model", (meter.billed_usd * metered.unpriced_share).quantize(SMALLEST))
    meter.put_rest("unexplained" if lines else _never_billed_cause(meter))
    return [meter, *rest]


def _rates(lines: Lines, prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return dollars a token by kind: the bill's own, or the fallback."""
    own = {
        kind: line.usd / line.tokens
        for kind, line in lines.items()
        if kind in KINDS and line.tokens
    }
    return {**prices, **own}


def _is_counted(lines: Lines) -> bool:
    return all(line.tokens is not None or not line.usd for k, line in lines.items() if k in KINDS)


def _sides(kinds: Iterable[str], lines: Lines, counted: Mapping[str, Decimal]) -> list[Piece]:
    nothing = Billed(ZERO, ZERO)
    return [
        Piece(
            kind,
            billed_usd=lines.get(kind, nothing).usd,
            billed_tokens=lines.get(kind, nothing).tokens or ZERO,
            metered_tokens=counted.get(kind, ZERO),
        )
        for kind in kinds
    ]


def _value(pieces: list[Piece], metered: Metered, rates: Mapping[str, Decimal]) -> None:
    """Split the metered dollars over the kinds in proportion to tokens x the bill's price."""
    values = [_tokens_at(piece, rates) for piece in pieces]
    whole, left = sum(values, ZERO), metered.usd
    for piece, value in zip(pieces[1:], values[1:], strict=True):
        piece.metered_usd = (metered.usd * value / whole if whole else ZERO).quantize(SMALLEST)
        left -= piece.metered_usd
    pieces[0].metered_usd = left


def _tokens_at(piece: Piece, rates: Mapping[str, Decimal]) -> Decimal:
    return (piece.metered_tokens or ZERO) * rates.get(piece.usage_type or "", ZERO)


def _name_token_differences(pieces: list[Piece], rates: Mapping[str, Decimal]) -> None:
    by_kind = {piece.usage_type: piece for piece in pieces}
    for one, other, cause in RECOUNTED:
        if one in by_kind and other in by_kind:
            _name_recounted(by_kind[one], by_kind[other], cause, rates)
    for piece in pieces:
        at_bill_price = piece.billed_usd - _tokens_at(piece, rates)
        volume = (at_bill_price - sum(piece.parts.values(), ZERO)).quantize(SMALLEST)
        if abs(volume) > _noise(piece):
            piece.put("missing_on_meter" if volume > 0 else "missing_on_bill", volume)


def _name_recounted(one: Piece, other: Piece, cause: str, rates: Mapping[str, Decimal]) -> None:
    """Name the tokens that the bill counts as one kind of input and the meter as another."""
    lacks, exceeds = one.lacking_tokens, other.lacking_tokens
    if lacks * exceeds >= 0:
        return
    moved = min(abs(lacks), abs(exceeds)).copy_sign(lacks)
    one.recount(cause, moved, rates)
    other.recount(cause, -moved, rates)


def _noise(piece: Piece) -> Decimal:
    """Return what rounding the price of a token to 60 digits and parts to 18 can leave over."""
    return SMALLEST * (4 + len(piece.parts))


def _name_price_differences(pieces: list[Piece], unpriced_share: Decimal) -> None:
    """Name what remains: tokens without a price first, then tokens at another price."""
    for piece in pieces:
        rest = piece.gap_usd - sum(piece.parts.values(), ZERO)
        if unpriced_share and rest > 0:
            value_usd = rest + piece.metered_usd
            piece.put("unpriced_model", min(rest, (value_usd * unpriced_share).quantize(SMALLEST)))
        piece.put_rest("price_differs")
