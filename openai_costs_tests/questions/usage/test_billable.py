from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from openai_costs.questions.usage.billable import billable
from openai_costs_tests.questions.usage.frames import tokens, usage

if TYPE_CHECKING:
    import polars as pl

GPT_5 = {"model": "gpt-5", "service_tier": "standard"}


def of(frame: pl.DataFrame, usage_type: str, modality: str | None = None) -> pl.DataFrame:
    rows = frame.filter(usage_type=usage_type)
    is_of = rows["modality"].is_null() if modality is None else rows["modality"] == modality
    return rows.filter(is_of.fill_null(value=False)).select(
        "model", "service_tier", "quantity", "quantity_unit"
    )


def test_overlaps_are_subtracted_once() -> None:
    counted = billable(usage(tokens(500, cached=400, write=100, output=70)))
    sides = ("input", "cached_input", "cache_write", "output")
    assert [of(counted, side)["quantity"].item() for side in sides] == [500, 400, 100, 70]


def test_keys_and_users_are_added_up_and_models_and_days_are_not() -> None:
    rows = (tokens(1), tokens(2, api_key_id="k2"), tokens(4, model="gpt-5-mini"))
    assert of(billable(usage(*rows)), "input").rows() == [
        ("gpt-5", "standard", Decimal(3), "tokens"),
        ("gpt-5-mini", "standard", Decimal(4), "tokens"),
    ]


def test_a_sum_of_which_one_row_does_not_say_is_not_known() -> None:
    counted = billable(usage(tokens(1), tokens(2, input_uncached_tokens=None)))
    assert of(counted, "input")["quantity"].item() is None
    assert of(counted, "output")["quantity"].item() == 0


def test_modalities_are_counted_apart_and_together() -> None:
    row = tokens(50, input_text_tokens=30, input_audio_tokens=20)
    counted = billable(usage(row))
    found = [of(counted, "input", kind)["quantity"].item() for kind in (None, "text", "audio")]
    assert found == [50, 30, 20]


def test_embeddings_have_input_and_nothing_else() -> None:
    row = {"endpoint": "embeddings", "model": "text-embedding-3-large", "input_tokens": 9}
    counted = billable(usage(row))
    assert of(counted, "input")["quantity"].item() == 9
    assert counted.filter(usage_type="output").is_empty()


@pytest.mark.parametrize(
    ("batch", "tier", "billed"),
    [
        (False, "default", "standard"),
        (None, None, "standard"),
        (False, "auto", "standard"),
        (False, "flex", "flex"),
        (False, "Priority", "priority"),
        (True, "default", "batch"),
    ],
)
def test_a_tier_is_named_as_the_bill_names_it(
    batch: bool | None,  # noqa: FBT001 - a value of the table
    tier: str | None,
    billed: str,
) -> None:
    counted = billable(usage(tokens(1, batch=batch, service_tier=tier)))
    assert set(counted["service_tier"]) == {billed}


def test_a_tuned_model_is_named_as_the_bill_names_it() -> None:
    counted = billable(usage(tokens(1, model="ft:gpt-4o-2024-08-06:acme::Xy1")))
    assert set(counted["model"]) == {"ft-gpt-4o-2024-08-06"}


def test_tools_are_counted_without_their_model_because_the_bill_names_none() -> None:
    call = {"endpoint": "web_search_calls", "quantity": Decimal(2), "quantity_unit": "calls"}
    counted = billable(usage(call, call | {"model": "gpt-5-mini"}))
    assert counted.select("model", "usage_type", "quantity", "quantity_unit").rows() == [
        (None, "web_search", Decimal(4), "calls")
    ]


def test_seconds_and_characters_are_counted_with_their_model() -> None:
    heard = {"endpoint": "audio_transcriptions", "model": "whisper-1", "quantity_unit": "seconds"}
    spoken = {"endpoint": "audio_speeches", "model": "tts-1", "quantity_unit": "characters"}
    counted = billable(usage(heard | {"quantity": Decimal(60)}, spoken | {"quantity": Decimal(5)}))
    assert counted.select("model", "usage_type", "quantity", "quantity_unit").rows() == [
        ("tts-1", "characters", Decimal(5), "characters"),
        ("whisper-1", "duration", Decimal(60), "duration_seconds"),
    ]


def test_no_usage_is_no_rows() -> None:
    assert billable(usage()).is_empty()
