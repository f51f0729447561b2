"""Costs of Anthropic become core.spend: cents to dollars, every dimension, every dollar."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from openai_costs.kernel.errors import CurrencyRefused
from openai_costs.sources.anthropic.costs.endpoints import refinement_grouping
from openai_costs.sources.anthropic.costs.frames import control_batches, ledger_batches
from openai_costs.sources.anthropic.paging import Answer
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs_tests.sources.anthropic.wire import (
    ADA,
    BY_KEY,
    CLAUDE,
    DAY,
    ROBOT,
    answer,
    kept,
    older,
    row,
)

KEY = Slice("claude", DAY)
WRITTEN = "cache_creation.ephemeral_{}_input_tokens"
INPUT = {"token_type": "uncached_input_tokens"}
CACHED = {"token_type": "cache_read_input_tokens"}
PROD = {"workspace_id": "wrkspc_prod", "api_key_id": "apikey_web"}


def ledger(*rows: dict[str, Any]) -> Batch:
    return cleaned(kept(ledger=answer(*rows)))


def cleaned(read: KeptRead) -> Batch:
    (batch,) = ledger_batches([read], CLAUDE)
    assert Spend.broken_rules(batch.frame) == []
    return batch


def one(*rows: dict[str, Any]) -> dict[str, Any]:
    (found,) = ledger(*rows).frame.rows(named=True)
    return found


def settled(*, refreshed_at: str | None, name: str = "is_settled") -> bool:
    read = kept(
        ledger=answer(row(), refreshed_at=refreshed_at),
        control=answer(row(), grouping=(), refreshed_at=refreshed_at),
    )
    (batch,) = control_batches([read], CLAUDE, timedelta(hours=24))
    return bool(batch.frame[name].item())


def cut(dimension: str, *rows: dict[str, Any]) -> Answer:
    return answer(*rows, grouping=refinement_grouping(dimension))


def test_a_day_of_every_kind_of_cost_adds_up_to_the_ungrouped_total():
    rows = (
        row("270.0000", **INPUT, service_tier="standard", **PROD),
        row("13.5", **CACHED, service_tier="standard", **PROD),
        row("33.75", token_type=WRITTEN.format("5m"), service_tier="standard", **PROD),
        row("675.00045", service_tier="standard", **PROD),
        row("2", cost_type="web_search", token_type=None, model=None, **PROD),
        row("5.5", cost_type="code_execution", token_type=None, model=None),
        row("118.2", model="claude-opus-5-5", product="claude_code", actor=ADA),
    )
    read = kept(ledger=answer(*rows), control=answer(row("1117.95045"), grouping=()))
    batch = cleaned(read)
    assert batch.frame.height == 7
    assert batch.frame["billed_usd"].sum() == batch.page_usd[KEY] == Decimal("11.1795045")
    (control,) = control_batches([read], CLAUDE, timedelta(hours=24))
    assert control.frame["billed_usd"].to_list() == [Decimal("11.1795045")]
    assert batch.remarks == batch.refused == {}


def test_cents_in_decimal_text_are_exact_dollars():
    assert one(row("675.00045"))["billed_usd"] == Decimal("6.7500045")
    assert one(row("0.0000000000000001"))["billed_usd"] == Decimal("0.000000000000000001")
    assert one(row("-1250.10"))["billed_usd"] == Decimal("-12.501")
    assert one(row("1E+2"))["billed_usd"] == 1


def test_more_decimals_than_a_dollar_has_are_rounded_once_for_the_whole_day():
    thirds = [row("0.33333333333333333333", api_key_id=f"apikey_{n}") for n in range(3)]
    assert ledger(*thirds).frame["billed_usd"].sum() == Decimal("0.010000000000000000")


@pytest.mark.parametrize("amount", [None, 675.0, 675, "", "12,50", "NaN", "1e999"])
def test_what_is_no_amount_in_decimal_text_refuses_the_day(amount: object):
    batch = ledger(row(), row(amount))
    assert batch.frame.is_empty()
    assert "amount" in str(batch.refused[KEY])


def test_a_row_without_its_amount_refuses_the_day():
    gone = row()
    del gone["cost"]["amount"]
    assert "cost" in str(ledger(gone).refused[KEY])


def test_another_currency_refuses_the_day():
    refused = ledger(row(), row(currency="EUR")).refused[KEY]
    assert isinstance(refused, CurrencyRefused)
    assert "EUR" in str(refused)


def test_the_kinds_of_tokens_are_the_vocabulary_of_all_providers():
    words = {
        "uncached_input_tokens": "input",
        "cache_read_input_tokens": "cached_input",
        WRITTEN.format("5m"): "cache_write_5m",
        WRITTEN.format("1h"): "cache_write_1h",
        "output_tokens": "output",
    }
    assert {word: one(row(token_type=word))["usage_type"] for word in words} == words


def test_costs_that_are_no_tokens_have_their_kind_and_no_model():
    kinds = {"web_search": "web_search", "code_execution": "code_execution"}
    for word, kind in kinds.items():
        found = one(row(cost_type=word, token_type=None, model=None))
        assert (found["usage_type"], found["model"], found["line_item"]) == (kind, None, word)


def test_an_unknown_kind_of_cost_is_counted_and_named():
    batch = ledger(row("100", cost_type="hologram", token_type=None))
    assert batch.frame["billed_usd"].sum() == 1
    assert batch.frame["usage_type"].to_list() == [None]
    assert "unknown values of cost_type: hologram" in batch.remarks[KEY]


def test_an_unknown_field_is_counted_and_named():
    new = row("100")
    new["group"]["planet"] = "mars"
    new["cost"]["tax"] = "0"
    batch = ledger(new)
    assert batch.frame["billed_usd"].sum() == 1
    assert "group.planet" in batch.remarks[KEY]
    assert "cost.tax" in batch.remarks[KEY]


def test_a_dimension_that_was_renamed_refuses_the_day():
    renamed = row()
    renamed["group"]["key"] = renamed["group"].pop("api_key_id")
    assert "renamed?" in str(ledger(renamed).refused[KEY])


@pytest.mark.parametrize(
    ("actor", "user"),
    [
        (ADA, "user_ada"),
        (ROBOT, "svac_ci"),
        (BY_KEY, None),
        (None, None),
        (
            {
                "type": "federated_actor",
                "subject": "serviceAccount:ci@lab.iam.example.com",
                "provider": {"type": "gcp", "project_number": "12"},
            },
            "gcp:serviceAccount:ci",
        ),
        (
            {
                "type": "federated_actor",
                "subject": None,
                "provider": {"type": "aws", "account_id": "7"},
            },
            "aws:7",
        ),
    ],
)
def test_the_user_is_the_actor_and_a_key_that_acts_by_itself_has_none(
    actor: object, user: str | None
):
    assert one(row(actor=actor, **PROD))["user_id"] == user


def test_a_key_is_known_by_the_actor_where_the_row_names_none():
    assert one(row(actor=BY_KEY))["api_key_id"] == "apikey_web"


def test_no_name_and_no_address_of_a_person_gets_into_the_ledger():
    text = ledger(row(actor=ADA)).frame.write_csv()
    assert "@" not in text
    assert "Ada" not in text


def test_a_workspace_without_an_id_is_the_default_workspace():
    assert one(row())["project_id"] == "default"
    assert one(row(workspace_id=""))["project_id"] == "default"


def test_rows_that_differ_in_what_the_vendor_cannot_show_are_added_up():
    assert one(row("100"), row("50"))["billed_usd"] == Decimal("1.5")


def test_claude_code_is_a_product_of_the_bill():
    code = {"actor": ADA, "model": "claude-opus-5-5"}
    found = cleaned(
        kept(
            ledger=answer(row("118.2", **code)),
            products=cut("product", row("118.2", product="claude_code", **code)),
        )
    ).frame.row(0, named=True)
    assert found["surface"] == found["product"] == "claude_code"
    assert found["line_item"] == "claude_code | claude-opus-5-5, output_tokens"
    assert found["billed_usd"] == Decimal("1.182")


def test_what_a_key_bought_without_a_product_is_the_api():
    assert one(row(**PROD))["surface"] == "api"
    assert one(row(actor=ADA))["surface"] is None


def test_priority_batch_and_long_context_are_in_the_label_and_in_their_columns():
    found = cleaned(
        kept(
            ledger=answer(row(service_tier="priority")),
            context_windows=cut("context_window", row(context_window="200k-1M")),
            inference_geos=cut("inference_geo", row(inference_geo="us")),
        )
    ).frame.row(0, named=True)
    assert found["service_tier"] == "priority"
    assert found["is_long_context"] is True
    assert found["line_item"] == "claude-sonnet-5, output_tokens, priority, long context, us"


def test_a_cut_that_does_not_agree_with_the_ledger_says_nothing():
    cut_off = cut("product", row("99", product="chat"))
    batch = cleaned(kept(ledger=answer(row("100")), products=cut_off))
    assert batch.frame["surface"].to_list() == [None]
    assert batch.frame["billed_usd"].sum() == 1


def test_a_cut_that_was_refused_is_named_and_costs_no_dollar():
    batch = cleaned(kept(ledger=answer(row("100")), absent={"products": "HTTP 400: no"}))
    assert batch.frame["billed_usd"].sum() == 1
    assert "products is missing" in batch.remarks[KEY]


def test_the_days_organization_is_the_one_that_its_key_belongs_to():
    read = kept(ledger=answer(row()))
    named = KeptRead(read.path, read.manifest, {**read.bodies, "organization": b'{"id": "org-9"}'})
    assert cleaned(named).frame["organization_id"].to_list() == ["org-9"]


def test_a_day_is_settled_by_its_data_and_not_by_when_it_was_read():
    assert not settled(refreshed_at="2026-11-15T02:10:00Z")
    assert settled(refreshed_at="2026-11-16T00:00:00Z")
    assert settled(refreshed_at=None)


def test_a_day_is_over_once_its_data_is_of_after_its_end():
    assert not settled(refreshed_at="2026-11-14T23:50:00Z", name="is_over")
    assert settled(refreshed_at="2026-11-15T02:10:00Z", name="is_over")


@pytest.mark.parametrize("text", [",", "yesterday", "0001-01-01T00:00:00+23:59"])
def test_a_mark_of_completeness_that_is_no_instant_refuses_the_day_by_its_page(text: str) -> None:
    read = kept(
        ledger=answer(row(), refreshed_at=text),
        control=answer(row(), grouping=(), refreshed_at=text),
    )
    (batch,) = control_batches([read], CLAUDE, timedelta(hours=24))
    assert "data_refreshed_at" in str(batch.refused[KEY])


def test_the_older_report_gives_dollars_by_workspace_without_keys_and_users():
    said = {"cost_type": "tokens", "model": "claude-sonnet-4-5-20250929", "service_tier": "batch"}
    one_hour = {"token_type": WRITTEN.format("1h"), "context_window": "200k-1M"}
    batch = cleaned(
        kept(
            ledger=older(
                {
                    "amount": "45.0",
                    "currency": "USD",
                    "workspace_id": "wrkspc_a",
                    **said,
                    **one_hour,
                },
                {"amount": "89.123456", "currency": "USD", "cost_type": "code_execution"},
            )
        )
    )
    found = {line["usage_type"]: line for line in batch.frame.iter_rows(named=True)}
    assert found["cache_write_1h"]["billed_usd"] == Decimal("0.45")
    assert found["cache_write_1h"]["is_long_context"] is True
    assert found["cache_write_1h"]["service_tier"] == "batch"
    assert found["code_execution"]["billed_usd"] == Decimal("0.89123456")
    assert found["code_execution"]["project_id"] == "default"
    assert set(batch.frame["grouping"]) == {"project_id,line_item"}
    assert batch.frame.select(pl.col("api_key_id", "user_id").is_null().all()).row(0) == (
        True,
        True,
    )


def test_the_price_before_discounts_is_kept_beside_the_bill():
    found = one(row("270", list_amount="300.00"))
    assert (found["billed_usd"], found["list_usd"]) == (Decimal("2.7"), 3)


def test_a_list_price_that_is_not_known_everywhere_is_unknown():
    assert one(row("100"), row("50", list_amount=None))["list_usd"] is None
    bucket = older({"amount": "45.0", "currency": "USD", "cost_type": "web_search"})
    assert cleaned(kept(ledger=bucket)).frame["list_usd"].to_list() == [None]


def test_anthropic_invoices_its_own_usage_in_dollars():
    found = one(row(**PROD))
    columns = ("provider", "host", "cost_basis", "charge_category", "currency", "amount", "tags")
    assert [found[name] for name in columns] == [
        "anthropic",
        "anthropic",
        "billed",
        "usage",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("geo", "region"), [("us", "us"), ("global", "global"), ("not_available", None), (None, None)]
)
def test_the_region_is_where_the_model_ran(geo: str | None, region: str | None):
    read = kept(ledger=answer(row()), inference_geos=cut("inference_geo", row(inference_geo=geo)))
    assert cleaned(read).frame["region"].to_list() == [region]


def test_tiers_products_and_contexts_of_one_label_are_rows_of_their_own():
    products = cut("product", row("40", product="chat"), row("60", product=None))
    batch = cleaned(kept(ledger=answer(row("100")), products=products))
    assert sorted(batch.frame["billed_usd"]) == [Decimal("0.4"), Decimal("0.6")]
    contexts = cut("context_window", row("40", context_window="0-200k"), row("60"))
    batch = cleaned(kept(ledger=answer(row("100")), context_windows=contexts))
    assert batch.frame["is_long_context"].is_null().to_list() in ([True, False], [False, True])
    assert batch.refused == {}


def test_an_empty_day_is_a_day_without_rows():
    batch = ledger()
    assert batch.frame.is_empty()
    assert batch.page_usd == {KEY: 0}
