"""One charge of an export in the columns of core.spend: amounts are text still. Pure.

Not here: a vendor's words (a provider's folder), sums (frames.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import MAX_PREC, Context, Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from openai_costs.kernel.redaction import redacted, without_domains
from openai_costs.settings.connection import Connection
from openai_costs.sources.exports.currency import USD
from openai_costs.sources.exports.dialects import Dialect
from openai_costs.sources.exports.sheets import Rules
from openai_costs.sources.exports.text_tables import members
from openai_costs.tables.core.spend import BILLED

RATE: Final = "usd_per_unit"
"""The tag under which the rate of a conversion is kept."""

_NUMBER: Final = r"[0-9][0-9,]*(?:[.][0-9]+)?"
_UNIT: Final = re.compile(
    rf"(?:per )?({_NUMBER})? ?([KMB]|Thousand|Million|Billion)? ?([A-Za-z][\w /-]*)",
    re.IGNORECASE,
)
_SIZES: Final[Mapping[str, int]] = MappingProxyType(
    {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9}
)
_COUNTED: Final = frozenset(
    {"token", "tokens", "request", "requests", "image", "images", "character", "characters"}
)
_WIDE: Final = Context(prec=MAX_PREC)


class Meaning(NamedTuple):
    """What a vendor's words say of a charge.

    Args:
        provider: Who made what was used.
        model: The model.
        usage_type: In the vocabulary of all providers.
        service_tier: The tier.
        region: Where it ran, where the label says so better than the column.
        modality: text, audio, image or video.
        is_long_context: Whether the label says so.
    """

    provider: str | None = None
    model: str | None = None
    usage_type: str | None = None
    service_tier: str | None = None
    region: str | None = None
    modality: str | None = None
    is_long_context: bool | None = None


class Counted(NamedTuple):
    """How much of what; the amount is exact and text."""

    quantity: str | None
    unit: str | None


@dataclass(frozen=True)
class Vocabulary:
    """What a provider's folder knows of the words in its exports.

    Args:
        host: Returns who invoices, from the vendor and the issuer that a row names.
        meaning: Returns what a service and a label say, for a host.
        user: Returns the user and the key that a principal stands for.
    """

    host: Callable[[Connection, str | None, str | None], str]
    meaning: Callable[[str, str, str], Meaning]
    user: Callable[[str], tuple[str | None, str | None]] = lambda _principal: (None, None)


def charge(
    connection: Connection,
    rules: Rules,
    words: Vocabulary,
    dialect: Dialect,
    one: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a charge in the columns of core.spend; amounts are text still."""
    host = words.host(connection, one["vendor"], one["invoicer"])
    service, label = one["service"] or host, one["label"] or one["service"] or host
    meaning = words.meaning(host, service, label)
    code, month, currency = one["currency"], f"{one['month']:%Y-%m}", rules.currency
    billed, listed = one["billed"], one["listed"]
    is_usage = (category := _category(one, dialect)) not in ("credit", "tax")
    size = counted(one["quantity"], one["unit"])
    if size.quantity is None:
        size = counted(one["pricing_quantity"], one["pricing_unit"])
    user, key = words.user(one["principal"]) if one["principal"] else (None, None)
    return {
        "provider": meaning.provider or host,
        "host": host,
        "organization_id": one["account"],
        "project_id": one["sub_account"],
        "user_id": user and without_domains(user),
        "api_key_id": key and without_domains(key),
        "line_item": redacted(label if label == service else f"{service}, {label}"),
        "model": meaning.model,
        "usage_type": meaning.usage_type,
        "service_tier": meaning.service_tier,
        "modality": meaning.modality,
        "is_long_context": meaning.is_long_context,
        "region": meaning.region or one["region"],
        "cost_basis": BILLED,
        "charge_category": category,
        "billed_usd": currency.usd(code, billed, one["billed_in_usd"], month),
        "list_usd": _list_usd(rules, one, month) if _is_known(listed, billed) else None,
        "currency": None if code == USD else code,
        "amount": None if code == USD else billed,
        "quantity": size.quantity if is_usage else None,
        "quantity_unit": size.unit if is_usage and size.quantity else None,
        "tags": _tags(one["tags"], currency.rate_text(code, month)),
        "grouping": "project_id,user_id,api_key_id,line_item"
        if user or key
        else "project_id,line_item",
    }


def _category(one: Mapping[str, Any], dialect: Dialect) -> str:
    """Return the charge category; a correction of usage is an adjustment."""
    category = dialect.category(one["category"])
    is_correction = (one["charge_class"] or "").lower() == "correction"
    return "adjustment" if is_correction and category in ("usage", "purchase") else category


def _is_known(listed: str | None, billed: str) -> bool:
    """Return whether a list cost is one: a 0 beside an amount stands for unknown."""
    return listed is not None and (Decimal(listed) != 0 or Decimal(billed) == 0)


def _list_usd(rules: Rules, one: Mapping[str, Any], month: str) -> str | None:
    if one["currency"] != USD and rules.currency.rate(month) is None:
        return None  # the file's own column has the billed amount in dollars, and no other
    found: str | None = rules.currency.usd(one["currency"], one["listed"], None, month)
    return found


def _tags(text: str | None, rate: str | None) -> str | None:
    found = {redacted(name): redacted(value) for name, value in members(text).items()}
    kept = found | ({RATE: rate} if rate else {})
    return msgspec.json.encode(kept, order="sorted").decode() if kept else None


def counted(quantity: str | None, unit: str | None) -> Counted:
    """Return a quantity in single units where its unit is a number of things that are counted.

    Args:
        quantity: As it is written.
        unit: As it is written, such as `1K tokens`; any other unit stays as it is.
    """
    found = _UNIT.fullmatch(unit.strip()) if unit else None
    if not (quantity and unit and found) or found[3].lower() not in _COUNTED:
        return Counted(quantity, unit)
    thing = found[3].lower()
    plural = thing if thing.endswith("s") else f"{thing}s"
    number = Decimal(found[1].replace(",", "")) if found[1] else Decimal(1)
    each = number * _SIZES.get((found[2] or "").lower(), 1)
    return Counted(f"{_WIDE.multiply(Decimal(quantity), each):f}", plural)
