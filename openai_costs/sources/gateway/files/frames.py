"""Kept rows of a gateway's files as tokens and metered rows. Pure."""

from collections.abc import Iterator

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.gateway.files.cells import Cells, dollars, instant, whole
from openai_costs.sources.gateway.files.layouts import AT_LIST_PRICE, COST_BASIS
from openai_costs.sources.gateway.listing import Listing, TokenRow
from openai_costs.sources.gateway.metering import MeterRow
from openai_costs.storage.archive import KeptRead

STATES = ("active", "blocked", "expired", "deleted")


def listing(read: KeptRead) -> Listing:
    """Return the tokens of a kept registry."""
    rows = [token(one) for one in _rows(read)]
    return Listing(read.manifest.day, "registry_file", rows, is_partial=is_partial(read))


def is_partial(read: KeptRead) -> bool:
    """Return whether rows of a kept read were set aside: what they hold is not known."""
    return bool(read.manifest.absent)


def meter_rows(read: KeptRead) -> Iterator[MeterRow]:
    """Yield what a kept meter says of its day."""
    return map(meter_row, _rows(read))


def token(one: Cells) -> TokenRow:
    """Return a row of a registry as a token.

    Raises:
        FileRefused: A cell is not what its column holds.
    """
    values = one.values
    dates = {
        name: instant(one, name) if name in values else None
        for name in ("created_at", "expires_at", "last_used_at")
    }
    state = values.get("status", "active").casefold()
    return TokenRow(
        token_id=values["token_id"],
        name=values.get("name"),
        status=state if state in STATES else "active",
        team=values.get("team"),
        owner_id=values.get("owner_id"),
        openai_api_key_id=values.get("openai_api_key_id"),
        openai_project_id=values.get("openai_project_id"),
        openai_key_hint=values.get("openai_key_hint"),
        **dates,
    )


def meter_row(one: Cells) -> MeterRow:
    """Return a row of an export as a metered row.

    Raises:
        FileRefused: A cell is not what its column holds.
    """
    provider, slash, model = one.values.get("model", "").partition("/")
    named = one.values.get("upstream_provider")
    return MeterRow(
        one.values.get("token_id"),
        named.casefold() if named else provider if slash else None,
        model if slash else provider,
        whole(one, "num_model_requests"),
        whole(one, "input_tokens"),
        whole(one, "input_cached_tokens"),
        whole(one, "input_cache_write_tokens"),
        whole(one, "output_tokens"),
        dollars(one),
        token_name=one.values.get("token_name"),
        is_at_list_price=one.values.get(COST_BASIS) == AT_LIST_PRICE,
    )


def _rows(read: KeptRead) -> list[Cells]:
    try:
        return msgspec.json.decode(read.bodies["rows"], type=list[Cells])
    except (KeyError, *UNREADABLE) as gone:
        raise PageRefused(read.page_of("rows"), "rows", f"has an unexpected form: {gone}") from None
