import polars as pl

from openai_costs.questions.gateway import is_openai
from openai_costs.questions.model_names import canonical_model, canonical_name
from openai_costs.tables.upstreams import HOST_OF, UPSTREAMS


def test_a_gateways_word_means_one_who_invoices():
    assert len(HOST_OF) == sum(map(len, UPSTREAMS.values()))


def test_the_words_for_openai_are_the_same_for_a_row_and_for_a_models_name():
    rows = pl.DataFrame(
        {
            "upstream_provider": [*UPSTREAMS["openai"], "azure"],
            "model": [f"{word}/gpt-5" for word in (*UPSTREAMS["openai"], "azure")],
        }
    )
    seen = rows.select(is_openai(), canonical_model())
    assert seen["upstream_provider"].to_list() == [True, True, False]
    assert seen["model"].to_list() == ["gpt-5", "gpt-5", "azure/gpt-5"]
    assert [canonical_name(name) for name in rows["model"]] == seen["model"].to_list()
