"""docs/providers.md says of each provider what its declaration says."""

from datetime import timedelta

import pytest

from openai_costs.sources.provider import Provider
from openai_costs.sources.registry import PROVIDERS, invoicers
from openai_costs.tables.core.spend import COST_BASES
from openai_costs_tests.provider_table import provider_table

TABLE = provider_table()
every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)


def test_each_provider_has_a_row_in_the_order_of_the_registry():
    assert list(TABLE) == [one.name for one in PROVIDERS]


@every_provider
def test_tokens_are_promised_where_there_is_usage_apart_from_the_bill(provider: Provider):
    assert TABLE[provider.name]["tokens"].startswith("yes") == (provider.usage is not None)


@every_provider
def test_a_history_that_is_deleted_has_its_length(provider: Provider):
    if provider.kept_days is not None:
        assert TABLE[provider.name]["history"] == f"{provider.kept_days} days"


@every_provider
def test_a_bill_that_settles_with_its_month_says_so(provider: Provider):
    is_slow = (provider.settles_within or timedelta()) > timedelta(days=28)
    assert ("after the month" in TABLE[provider.name]["settled"]) == is_slow


@every_provider
def test_a_cost_basis_is_one_of_the_tables(provider: Provider):
    words = TABLE[provider.name]["cost basis"].replace(",", "").replace(";", "").split()
    assert words[0] == provider.cost_basis
    assert words[0] in COST_BASES


def test_who_invoices_has_one_name_whichever_provider_reads_the_bill():
    named = {one for provider in PROVIDERS for one in provider.invoicers}
    assert len(named) == len(invoicers())
    assert {"aws", "azure", "google"} <= invoicers().keys()
