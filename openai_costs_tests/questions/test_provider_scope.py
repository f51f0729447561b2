import polars as pl
import pytest

from openai_costs.questions.prices.price_lists import LISTS
from openai_costs.questions.provider_scope import (
    ANSWERED,
    HOW_FAR,
    WHY_NOT,
    WITH_LISTS,
    left_out,
    of_openai,
    on_bills_of,
)
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
    assert WHY_NOT[question].keys() == HOSTED - {*ANSWERED[question]}
    assert HOW_FAR.get(question, {}).keys() <= {*ANSWERED[question]}
    assert all(why[0].isupper() and why.endswith(".") for why in WHY_NOT[question].values())


def test_who_is_left_out_is_named_once_and_openai_never():
    made = [*left_out("gateway_bypass", ["openai", "google", "google", "a_new_cloud"])]
    assert made == [
        "Not about a_new_cloud: No rule of gateway_bypass knows the bill of a_new_cloud.",
        "Not about google: Google's bill names neither a key nor a user.",
    ]


def test_a_question_that_is_partly_about_a_bill_says_how_far():
    (found,) = left_out("seats", ["openai", "github_copilot"])
    assert found == (
        "Partly about github_copilot: Seats are listed and judged; [seats] prices those of "
        "OpenAI's contract alone."
    )


def test_who_has_a_list_is_who_the_catalogue_has_one_of():
    assert {*WITH_LISTS} == LISTS.keys()


def test_the_rows_on_some_bills_are_billed_and_by_who_invoices():
    rows = pl.DataFrame(
        {
            "provider": ["anthropic", "anthropic", "anthropic"],
            "host": ["aws", "openrouter", "aws"],
            "cost_basis": ["billed", "billed", "metered"],
        }
    )
    assert on_bills_of(rows, ["aws"]).height == 1
    assert on_bills_of(rows.select("provider"), ["anthropic"]).height == 3
