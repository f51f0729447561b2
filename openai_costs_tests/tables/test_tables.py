from __future__ import annotations

import inspect
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from openai_costs.outputs.publish.empty_database import SQL_TYPES
from openai_costs.tables.contract import LAYERS, all_contracts, find_contract
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import NOW, day

if TYPE_CHECKING:
    from openai_costs.tables.contract import Contract

CONTRACTS: Final = all_contracts()
every_table = pytest.mark.parametrize("table", CONTRACTS, ids=lambda one: one.full_name())
KNOWN: Final = "connection id name status created_at first_seen_day last_seen_day is_current"
PROMISED: Final = {
    "core.spend": "connection provider organization_id day project_id api_key_id user_id line_item "
    "model usage_type service_tier surface billed_usd quantity quantity_unit grouping",
    "core.spend_by_user": "connection provider day user_id line_item model usage_type billed_usd",
    "core.spend_control": "connection day billed_usd is_settled read_at",
    "core.usage": "connection day endpoint project_id user_id api_key_id model batch service_tier "
    "input_tokens input_uncached_tokens input_cached_tokens input_cache_write_tokens output_tokens "
    "num_model_requests quantity quantity_unit",
    "core.projects": KNOWN,
    "core.api_keys": f"{KNOWN} project_id owner_type owner_id redacted_value last_used_at "
    "expires_at",
    "core.users": f"{KNOWN} email role",
    "core.service_accounts": KNOWN,
    "core.invites": KNOWN,
    "core.admin_keys": KNOWN,
    "core.project_members": KNOWN,
    "core.spend_limits": f"{KNOWN} threshold_usd",
    "mart.spend": "day connection project_id project_name api_key_id api_key_name team model "
    "usage_type billed_usd",
    "mart.spend_by_user": "day connection user_id user_name team model usage_type billed_usd "
    "attribution",
    "mart.coverage": "connection source day state rows billed_usd read_at",
    "mart.findings": "finding_id rule severity subject_kind subject_id connection day opened_day "
    "state observed expected threshold impact_usd because table_name docs",
    "mart.finding_changes": "finding_id change kind changed_day is_told",
    "mart.deleted_months": "connection month days billed_usd deleted_at finished_at because",
    "mart.deliveries": "finding_id change channel sent_at status attempt",
    "mart.restatements": "connection day seen_at previous_usd current_usd change_usd",
    "mart.spend_attribution": "day connection project_id api_key_id user_id user_name team model "
    "usage_type billed_usd attribution pool share_pct",
    "mart.spend_anomalies": "day series_kind series_id actual_usd expected_usd lower_usd upper_usd "
    "impact_usd score direction causes",
    "mart.price_check": "day connection line_item billed_usd expected_usd gap_usd cause",
    "mart.budget_status": "budget day period_start period_end spent_usd limit_usd spent_pct "
    "forecast_usd forecast_low_usd forecast_high_usd state",
    "mart.optimization": "day connection subject rule saving_usd because",
    "mart.forecast": "scope scope_id month through_day spent_usd forecast_usd forecast_low_usd "
    "forecast_high_usd",
    "mart.people": "person_id kind name team billed_usd by_provider metered_usd estimated_usd",
    "core.gateway_tokens": "connection token_id name status upstream_connection openai_api_key_id "
    "openai_project_id mapping confidence first_seen_day last_seen_day is_current",
    "core.gateway_spend": "connection day token_id model input_tokens input_cached_tokens "
    "output_tokens metered_usd is_unpriced",
    "core.engineers": "person_id name email aliases team status left_day is_trusted",
    "mart.gateway_bypass": "day connection api_key_id key_name owner project_id billed_usd tokens "
    "first_seen_day last_used_at reason is_allowed",
    "mart.unspent_keys": "connection key_id kind owner created_at last_used_at is_allowed",
    "mart.cost_reconciliation": "day connection project_id api_key_id model usage_type billed_usd "
    "metered_usd gap_usd capture_rate cause unexplained_usd",
    "mart.gateway_capture": "day connection provider billed_usd metered_usd capture_rate "
    "is_settled",
    "mart.seats": "connection user_id email role status spend_30d_usd last_active_day seat_usd",
}


def control(**other: object) -> pl.DataFrame:
    row = {
        "connection": "acme",
        "day": day(1),
        "billed_usd": Decimal(1),
        "is_settled": True,
        "read_at": NOW.replace(tzinfo=None),
    }
    return pl.DataFrame([row | other], schema=SpendControl.types())


def test_the_tables_are_those_of_the_public_contract() -> None:
    assert {table.full_name() for table in CONTRACTS} == set(PROMISED)


@every_table
def test_a_table_has_every_promised_column(table: type[Contract]) -> None:
    assert set(PROMISED[table.full_name()].split()) <= set(table.types())


@every_table
def test_a_table_is_named_by_its_path(table: type[Contract]) -> None:
    path = inspect.getfile(table)
    assert path.endswith(f"tables/{table.schema_name()}/{table.table_name()}.py")
    assert table.schema_name() in LAYERS
    assert find_contract(table.schema_name(), table.table_name()) is table


@every_table
def test_a_table_has_a_short_sentence_and_says_what_one_row_is(table: type[Contract]) -> None:
    assert len(table.summary()) < 50
    assert table.summary().endswith(".")
    assert "One row per " in table.about()


@every_table
def test_every_column_is_described(table: type[Contract]) -> None:
    for name, _, _, text, _ in table.describe():
        assert text.endswith("."), name
        assert len(text) > 5, name


@every_table
def test_every_column_that_measures_has_its_unit(table: type[Contract]) -> None:
    units = {"_usd": "USD", "_at": "UTC timestamp", "day": "UTC day"}
    for name, kind, unit, *_ in table.describe():
        wanted = [word for suffix, word in units.items() if name.endswith(suffix)]
        assert not wanted or unit == wanted[0], name
        assert unit or not kind.is_numeric(), name


@every_table
def test_money_is_exact_and_nothing_is_a_float(table: type[Contract]) -> None:
    for name, kind in table.types().items():
        assert not kind.is_float(), name
        if name.endswith("_usd"):
            assert kind == pl.Decimal(38, 18), name


@every_table
def test_every_column_name_is_lower_case_words(table: type[Contract]) -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name) for name in table.types())


@every_table
def test_every_type_can_be_published(table: type[Contract]) -> None:
    assert {str(kind) for kind in table.types().values()} <= set(SQL_TYPES)


@every_table
def test_no_rows_keep_the_contract(table: type[Contract]) -> None:
    assert table.broken_rules(table.no_rows()) == []


@every_table
def test_the_same_column_has_the_same_type_and_unit_in_every_table(table: type[Contract]) -> None:
    said = {
        name: (str(kind), unit) for other in CONTRACTS for name, kind, unit, *_ in other.describe()
    }
    for name, kind, unit, *_ in table.describe():
        assert (str(kind), unit) == said[name]


def test_good_rows_keep_the_contract() -> None:
    assert SpendControl.broken_rules(control()) == []


def test_a_null_where_none_may_be_is_a_sentence_with_rule_column_and_count() -> None:
    (said,) = SpendControl.broken_rules(control(billed_usd=None))
    assert "not_nullable" in said
    assert "billed_usd" in said
    assert "1 rows" in said


def test_a_key_that_comes_twice_breaks_the_contract() -> None:
    (said,) = SpendControl.broken_rules(pl.concat([control(), control(billed_usd=Decimal(2))]))
    assert "multiple_fields_uniqueness" in said


@pytest.mark.parametrize(
    "changed",
    [
        control().with_columns(extra=pl.lit(1)),
        control().drop("is_settled"),
        control().select(reversed(list(SpendControl.types()))),
        control().cast({"billed_usd": pl.Decimal(38, 6)}),
        control().cast({"billed_usd": pl.Float64}),
    ],
    ids=["a column more", "a column less", "another order", "fewer digits", "a float"],
)
def test_another_shape_breaks_the_contract(changed: pl.DataFrame) -> None:
    assert SpendControl.broken_rules(changed)
