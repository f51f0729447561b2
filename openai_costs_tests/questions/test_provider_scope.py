import polars as pl
import pytest

from openai_costs.questions.prices.price_lists import LISTS
from openai_costs.questions.provider_scope import PRICES, WHY_NOT, left_out, of_openai
from openai_costs.sources.focus_file.words import HOSTS
from openai_costs.sources.registry import PROVIDERS

FILES = {"focus_file", "bedrock"}  # whoever writes the file invoices
HOSTED = ({one.name for one in PROVIDERS} - FILES) | {*HOSTS.values()}


def test_a_model_of_openai_on_someone_elses_bill_or_meter_is_not_on_openais():
    rows = pl.DataFrame(
        {
            "line_item": ["own", "resold", "own key elsewhere", "another maker"],
            "provider": ["openai", "openai", "openai", "google"],
            "host": ["openai", "openrouter", "openai", "openrouter"],
            "cost_basis": ["billed", "billed", "metered", "billed"],
        }
    )
    assert of_openai(rows)["line_item"].to_list() == ["own"]


def test_a_table_without_a_host_is_judged_by_its_provider():
    rows = pl.DataFrame({"id": [1, 2], "provider": ["openai", "anthropic"]})
    assert of_openai(rows)["id"].to_list() == [1]


@pytest.mark.parametrize("question", WHY_NOT)
def test_a_question_applies_to_who_invoices_or_says_why_not_in_a_sentence(question: str):
    answered = {*LISTS} if question == PRICES else {"openai"}
    assert WHY_NOT[question].keys() == HOSTED - answered
    assert all(why[0].isupper() and why.endswith(".") for why in WHY_NOT[question].values())


def test_who_is_left_out_is_named_once_and_openai_never():
    made = [*left_out("gateway_bypass", ["openai", "google", "google", "a_new_cloud"])]
    assert made == [
        "Not about a_new_cloud: No rule of gateway_bypass knows the bill of a_new_cloud.",
        "Not about google: Google's bill names neither a key nor a user.",
    ]
