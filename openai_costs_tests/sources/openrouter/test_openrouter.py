"""OpenRouter's activity: what it bills, what it only counts, and what an answer must be."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from openai_costs.kernel.days import ONE_DAY
from openai_costs.kernel.errors import ErrorAnswer, IncompleteRead, RequestRefused
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openrouter.assets import OPENROUTER
from openai_costs.sources.openrouter.endpoints import completed_days, error
from openai_costs.sources.openrouter.frames import ledger, owned_ids, used
from openai_costs.sources.openrouter.protocol import BY_WORKSPACE, read_day
from openai_costs.storage.slices import Batch, Slice
from openai_costs_tests.sources.openai.wire import converse
from openai_costs_tests.sources.vendor_pages import DAY, kept, recorded

ONE = OPENROUTER.connection(name="one")
OWN_KEY, EMPTY = (recorded("openrouter_activity", case) for case in ("own_key", "empty_day"))
BILLED = Decimal("0.163456889012345678")


def ledger_of(body: bytes, control: bytes | None = None) -> Batch:
    (batch,) = ledger([kept("openrouter", {"ledger": body, "control": control or body})], ONE)
    return batch


def test_what_the_host_of_a_model_bills_is_metered_and_in_no_billed_dollar():
    rows = ledger_of(OWN_KEY).frame.select("cost_basis", "host", "provider", "billed_usd")
    assert sorted(rows.filter(cost_basis="metered").rows()) == [
        ("metered", "openai", "openai", Decimal("0.8"))
    ]
    assert rows.filter(cost_basis="billed")["billed_usd"].sum() == BILLED
    assert set(rows.filter(cost_basis="billed")["host"]) == {"openrouter"}


def test_the_page_as_a_whole_is_what_the_rows_must_add_up_to():
    batch = ledger_of(OWN_KEY)
    assert batch.page_usd == {Slice("one", DAY): BILLED}
    assert batch.unbilled_page_usd == {Slice("one", DAY): {"metered": Decimal("0.8")}}
    assert batch.frame["billed_usd"].sum() == BILLED + Decimal("0.8")


def test_a_whole_without_amounts_of_own_keys_is_no_total_of_them():
    whole = re.sub(rb'"byok_usage_inference": *[\d.]+,?', b"", OWN_KEY)
    batch = ledger_of(OWN_KEY, whole)
    assert batch.page_usd == {Slice("one", DAY): BILLED}
    assert batch.unbilled_page_usd == {Slice("one", DAY): {"metered": Decimal("0.8")}}


def test_a_whole_that_has_none_where_the_rows_have_some_differs():
    whole = json.loads(OWN_KEY)
    for entry in whole["data"]:
        entry["byok_usage_inference"] = 0
    batch = ledger_of(OWN_KEY, json.dumps(whole).encode())
    assert batch.unbilled_page_usd == {Slice("one", DAY): {"metered": Decimal(0)}}


def test_tokens_below_zero_refuse_the_day_and_name_page_and_field():
    body = json.loads(OWN_KEY)
    body["data"][0]["prompt_tokens"] = -5
    (batch,) = used([kept("openrouter", {"ledger": json.dumps(body).encode()})], ONE)
    (refused,) = batch.refused.values()
    assert "data[0].prompt_tokens" in str(refused)
    assert "ledger.json" in str(refused)


def test_two_endpoints_of_one_model_are_one_line_with_every_digit():
    line = ledger_of(OWN_KEY).frame.filter(model="mistral-large-3")
    assert line.select("project_id", "line_item", "billed_usd", "quantity").rows() == [
        (
            "ws-atlas",
            "mistralai/mistral-large-3 | Mistral",
            Decimal("0.123456889012345678"),
            Decimal(32),
        )
    ]


def test_an_empty_day_is_read_and_has_no_row():
    batch = ledger_of(EMPTY)
    assert (batch.frame.height, batch.page_usd) == (0, {Slice("one", DAY): Decimal(0)})


def test_a_renamed_amount_refuses_the_day_and_names_it():
    batch = ledger_of(recorded("openrouter_activity", "renamed_amount"))
    assert (batch.frame.height, batch.read_at) == (0, {})
    (refused,) = batch.refused.values()
    assert "data[0].usage" in str(refused)


def test_a_new_field_is_a_remark():
    body = json.loads(OWN_KEY)
    body["data"][0]["carbon_grams"] = 3
    assert ledger_of(json.dumps(body).encode()).remarks == {
        Slice("one", DAY): "unknown fields, kept in raw: carbon_grams"
    }


def test_tokens_of_the_same_pages_are_usage():
    (batch,) = used([kept("openrouter", {"ledger": OWN_KEY, "control": OWN_KEY})], ONE)
    rows = batch.frame.filter(model="gpt-5.4").select(
        "provider", "input_tokens", "output_tokens", "num_model_requests", "input_cached_tokens"
    )
    assert rows.rows() == [("openrouter", 310_000, 22_000, 9, None)]


def test_an_answer_of_another_day_is_refused():
    with pytest.raises(IncompleteRead, match=r"2026-11-15 was requested, .* rows of 2026-11-14"):
        converse(read_day(DAY + ONE_DAY), lambda _get: OWN_KEY)


def test_where_workspaces_are_refused_the_whole_is_the_ledger():
    def answer(get: Get) -> Body | Exception:
        refused = RequestRefused(ErrorAnswer("one", 400, get.path, "Invalid group_by"))
        return refused if BY_WORKSPACE in get.params else OWN_KEY

    found, _asked = converse(read_day(DAY), answer)
    assert {name: page.body for name, page in found.pages.items()} == {
        "ledger": OWN_KEY,
        "control": OWN_KEY,
    }
    read = kept("openrouter", {"ledger": OWN_KEY, "control": OWN_KEY}, absent=found.absent)
    (batch,) = ledger([read], ONE)
    assert "Invalid group_by" in batch.remarks[Slice("one", DAY)]


def test_it_answers_for_thirty_completed_days():
    days = completed_days(date(2026, 11, 28))
    assert (days.first, days.last) == (date(2026, 10, 29), date(2026, 11, 27))


def test_workspaces_say_whose_an_activity_is():
    assert owned_ids(kept("openrouter", {"ledger": OWN_KEY})) == {"ws-atlas"}
    assert owned_ids(kept("openrouter", {"ledger": b"?"})) == set()


def test_an_error_is_quoted_in_its_own_words():
    found = error(b'{"error": {"message": "User not found.", "code": 401}}')
    assert (found.message, found.code) == ("User not found.", "401")
