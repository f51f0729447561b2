"""How this particular organisation's API behaves, where live organisations differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

SAMPLE_ADMIN_KEY: Final = "sk-admin-sample"
NO_SCOPE_ADMIN_KEY: Final = "sk-admin-noscope"


@dataclass(frozen=True, slots=True)
class WireOptions:
    """Choices the vendor documents as depending on the organisation or on the date.

    Attributes:
        combine_user: whether `user_id` may be combined with `project_id` or `project_ids`; a date
            means from that window start on.
        lookback_floor: the oldest start this organisation may ask for, None for no floor.
        accepts_api_key_grouping: one live organisation refused `group_by=api_key_id`.
        admin_keys: admin keys with the scope to read costs.
        text_amounts_before: amounts of older days are 34-digit strings; the vendor went back to
            numbers on the default date.
    """

    combine_user: Literal["always", "never"] | date = "always"
    lookback_floor: date | None = None
    accepts_api_key_grouping: bool = True
    admin_keys: frozenset[str] = frozenset({SAMPLE_ADMIN_KEY})
    text_amounts_before: date = date(2026, 9, 20)


USUAL: Final = WireOptions()
