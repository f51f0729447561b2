import polars as pl

from openai_costs.questions.provider_scope import of_openai


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
