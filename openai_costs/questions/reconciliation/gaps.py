"""Why one key's bill and meter differ for one model on one day: exact parts of the gap. Pure.

Each part is a counterfactual: how much of the gap closes when one input of the meter is replaced by
the bill's. Tokens are valued at the bill's prices, so that

    billed - metered = (bill's tokens - meter's tokens) x bill's price        tokens differ
                     +  meter's tokens x (bill's price - meter's price)       price differs

and the first line splits further: with as many input tokens as the bill has, but in the meter's
mix of cached and uncached, only the mix is wrong (cached tokens, cache writes); what then remains
is more or fewer tokens (missing on one side).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from openai_costs.questions.token_kinds import INPUTS, KINDS

SMALLEST = Decimal("1E-18")
ZERO = Decimal(0)
DIGITS = 60
"""Enough for a product of two DECIMAL(38,18) without rounding on the way."""

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
    parts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def gap_usd(self) -> Decimal:
        """Billed minus metered."""
        return self.billed_usd - self.metered_usd

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
    with localcontext(prec=DIGITS):
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


def _whole(kind: Kind, line: Billed, cause: str) -> Piece:
    piece = Piece(kind, billed_usd=line.usd, billed_tokens=line.tokens)
    piece.put_rest(cause)
    return piece


def _never_billed(pieces: list[Piece]) -> list[Piece]:
    for piece in pieces:
        piece.put_rest("missing_on_bill")
    return pieces


def _opaque(lines: Lines, metered: Metered) -> list[Piece]:
    """Return pieces without a reason: tokens or prices are not known on one of the sides."""
    count = sum(metered.tokens.values(), ZERO) if metered.tokens else None
    meter = Piece(None, metered_usd=metered.usd, metered_tokens=count)
    rest = []
    for kind, line in lines.items():
        is_token = kind in KINDS or kind is None
        cause = "unexplained" if is_token else "missing_on_meter"
        if kind is None:
            meter.billed_usd, meter.billed_tokens = line.usd, line.tokens
        else:
            rest.append(_whole(kind, line, cause))
    meter.put_rest("missing_on_bill" if not lines else "unexplained")
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
    inputs = [by_kind[kind] for kind in INPUTS if kind in by_kind]
    billed = sum((piece.billed_tokens or ZERO for piece in inputs), ZERO)
    metered = sum((piece.metered_tokens or ZERO for piece in inputs), ZERO)
    if billed and metered:
        _name_the_mix(inputs, billed / metered, rates)
    for piece in pieces:
        at_bill_price = piece.billed_usd - _tokens_at(piece, rates)
        volume = (at_bill_price - sum(piece.parts.values(), ZERO)).quantize(SMALLEST)
        if abs(volume) > _noise(piece):
            piece.put("missing_on_meter" if volume > 0 else "missing_on_bill", volume)


def _name_the_mix(inputs: list[Piece], scale: Decimal, rates: Mapping[str, Decimal]) -> None:
    """Name what another mix of cached, written and plain input is worth, tokens being equal."""
    causes = {"cached_input": "cached_tokens", "cache_write": "cache_writes"}
    is_priced = "input" in rates  # a line of the bill may have no tokens, and so no price
    plain = next((piece for piece in inputs if piece.usage_type == "input" and is_priced), None)
    for piece in inputs:
        cause = causes.get(piece.usage_type or "")
        moved = (piece.billed_tokens or ZERO) - (piece.metered_tokens or ZERO) * scale
        if cause is None or not moved:
            continue
        piece.put(cause, (moved * rates[piece.usage_type or ""]).quantize(SMALLEST))
        if plain is not None:
            plain.put(cause, (-moved * rates["input"]).quantize(SMALLEST))


def _noise(piece: Piece) -> Decimal:
    """Return what rounding the price of a token to 60 digits and parts to 18 can leave over."""
    return SMALLEST * (4 + len(piece.parts))


def _name_price_differences(pieces: list[Piece], unpriced_share: Decimal) -> None:
    """Name what remains: tokens without a price first, then tokens at another price."""
    for piece in pieces:
        rest = piece.gap_usd - sum(piece.parts.values(), ZERO)
        if unpriced_share and rest > 0:
            worth = rest + piece.metered_usd
            piece.put("unpriced_model", min(rest, (worth * unpriced_share).quantize(SMALLEST)))
        piece.put_rest("price_differs")
