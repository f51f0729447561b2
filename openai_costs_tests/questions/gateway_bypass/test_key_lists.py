from datetime import date, datetime
from typing import Any

import polars as pl

from openai_costs.questions.gateway_bypass.key_lists import unspent_keys
from openai_costs.settings import AllowedKey
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.mart.unspent_keys import UnspentKeys
from openai_costs_tests.questions.gateway_bypass.test_bypass import frame

TODAY = date(2026, 3, 10)
USUAL = {
    "connection": "acme",
    "provider": "openai",
    "status": "active",
    "project_id": "proj_maps",
    "redacted_value": "sk-..f4",
    "first_seen_day": TODAY,
    "last_seen_day": TODAY,
    "is_current": True,
}


def listed(*keys: dict[str, Any], admins: Any = (), allowed: Any = ()) -> pl.DataFrame:  # noqa: ANN401
    admin = {name: value for name, value in USUAL.items() if name != "project_id"}
    found = unspent_keys(
        frame(ApiKeys, USUAL, keys),
        frame(AdminKeys, admin, admins),
        {"key_registered", "key_billed"},
        allowed,
        TODAY,
    )
    assert UnspentKeys.broken_rules(found) == []
    return found


def test_a_key_never_used_billed_or_registered_is_listed_apart():
    used = {"id": "key_used", "last_used_at": datetime(2026, 3, 1)}  # noqa: DTZ001 - UTC without a zone
    gone = {"id": "key_gone", "is_current": False}
    found = listed({"id": "key_idle"}, used, gone, {"id": "key_registered"}, {"id": "key_billed"})
    assert found.select("key_id", "kind").rows() == [("key_idle", "unused")]


def test_an_admin_key_is_listed_used_or_not():
    found = listed(admins=({"id": "key_admin", "owner_id": "user-mira", "owner_type": "user"},))
    assert found.select("key_id", "kind", "owner_id", "project_id").rows() == [
        ("key_admin", "admin_key", "user-mira", None)
    ]


def test_an_exception_covers_unspent_keys_too():
    entry = AllowedKey(api_key_id="key_idle", reason="spare", until=TODAY)
    found = listed({"id": "key_idle"}, {"id": "key_other"}, allowed=(entry,))
    assert found.select("key_id", "is_allowed").rows() == [("key_idle", True), ("key_other", False)]
