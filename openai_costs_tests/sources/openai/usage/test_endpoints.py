import pytest

from openai_costs.sources.openai.usage.endpoints import OLDEST, USAGE_ENDPOINTS, UsageEndpoint
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.sources.openai.usage.wire import named, one_batch, recorded_reads

every_endpoint = pytest.mark.parametrize("endpoint", USAGE_ENDPOINTS, ids=named)


def test_there_are_eleven_and_each_has_a_name_of_its_own():
    assert len({endpoint.dataset for endpoint in USAGE_ENDPOINTS}) == 11
    assert OLDEST.dataset == "completions"


@every_endpoint
def test_a_new_endpoint_is_one_entry_and_one_recorded_page(endpoint: UsageEndpoint):
    batch = one_batch(*recorded_reads("grouped", endpoint.dataset))
    assert (batch.refused, batch.remarks) == ({}, {})
    assert set(batch.frame["endpoint"]) == {endpoint.dataset}
    assert Usage.broken_rules(batch.frame) == []


@every_endpoint
def test_every_column_that_an_entry_names_is_one_of_core_usage(endpoint: UsageEndpoint):
    counts = (*endpoint.measures.required, *endpoint.measures.optional)
    assert {*endpoint.dimensions.values(), *counts} <= set(Usage.types())


@every_endpoint
def test_the_recorded_page_gives_a_value_in_every_column_the_entry_names(endpoint: UsageEndpoint):
    frame = one_batch(*recorded_reads("grouped", endpoint.dataset)).frame
    counts = (*endpoint.measures.required, *endpoint.measures.optional)
    quantity = ("quantity", "quantity_unit") if endpoint.measures.quantity else ()
    given = {*endpoint.dimensions.values(), *counts, *quantity}
    empty = {name for name in given if frame[name].null_count() == frame.height}
    assert empty == set()
    others = set(Usage.types()) - given - {"connection", "provider", "day", "endpoint"}
    assert all(frame[name].null_count() == frame.height for name in others)


@every_endpoint
def test_an_endpoint_is_asked_for_all_it_can_be_grouped_by_first(endpoint: UsageEndpoint):
    finest, *plainer = endpoint.groupings
    assert finest == tuple(endpoint.dimensions)
    assert plainer == [finest_without(finest)] * ("api_source" in finest)


def finest_without(finest: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in finest if name != "api_source")
