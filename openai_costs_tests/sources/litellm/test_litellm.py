"""A LiteLLM proxy as a provider: metered dollars, marked where their bill is connected."""

from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import AccessRefused, ErrorAnswer, RequestRefused
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.gateway.litellm.partial_answers import DatabaseMissing, ViewIsPartial
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.litellm.frames import ledger, used
from openai_costs.sources.litellm.identity import EXAMPLE_KEY, owned_ids
from openai_costs.sources.litellm.protocol import Activity
from openai_costs.sources.litellm.settings import LiteLLMConnection
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.slices import Batch, Slice
from openai_costs_tests.sources.openai.wire import converse
from openai_costs_tests.sources.vendor_pages import DAY, kept, recorded

ONE = LiteLLMConnection(name="one", base_url="https://proxy.example")
PAGE = recorded("litellm_daily", "two_keys")


def ledger_of(connection: LiteLLMConnection = ONE) -> Batch:
    (batch,) = ledger([kept("litellm", {"daily.0": PAGE})], connection)
    return batch


def beside(*others: OpenAIConnection | AnthropicConnection) -> LiteLLMConnection:
    """The proxy in settings with other connections."""
    whole = Settings(home="h", config_file=Path("none.toml"), connections=(ONE, *others))
    found = whole.connection("one")
    assert isinstance(found, LiteLLMConnection)
    return found


def test_every_dollar_is_metered_by_key_model_and_upstream_and_adds_up_to_the_proxys_total():
    batch = ledger_of()
    rows = batch.frame.select("provider", "host", "cost_basis", "model", "billed_usd")
    assert sorted(rows.rows(), key=str) == [
        ("bedrock", "litellm", "metered", "nova", Decimal(0)),
        ("litellm", "litellm", "metered", None, Decimal("0.09")),
        ("openai", "litellm", "metered", "gpt-5.4", Decimal("0.2")),
        ("openai", "litellm", "metered", "gpt-5.4", Decimal("0.3")),
        ("vertex_ai", "litellm", "metered", "gemini-3-flash", Decimal("0.01")),
    ]
    assert batch.page_usd == {Slice("one", DAY): Decimal(0)}
    assert batch.unbilled_page_usd == {Slice("one", DAY): {"metered": Decimal("0.6")}}


def test_a_model_without_a_price_is_named():
    (remark,) = ledger_of().remarks.values()
    assert remark == "the proxy has no price for bedrock/nova"


def test_a_keys_user_and_team_are_there_and_no_address():
    rows = ledger_of().frame.select("model", "user_id", "project_id").unique()
    assert ("gpt-5.4", "u-ada", "t-search") in rows.rows()
    assert ("gemini-3-flash", "ada", "t-search") in rows.rows()
    assert ("gpt-5.4", None, None) in rows.rows()


def test_a_row_whose_upstream_is_a_connection_names_it_and_no_other_row_does():
    rows = ledger_of(beside(OpenAIConnection(name="acme"))).frame.select("provider", "tags")
    assert set(rows.rows()) == {
        ("openai", '{"billed_by":"acme"}'),
        *((provider, None) for provider in ("bedrock", "litellm", "vertex_ai")),
    }


def test_without_a_bill_of_its_upstreams_no_row_is_marked():
    assert beside().billed_by == {}
    assert beside(AnthropicConnection(name="claude")).billed_by == {"anthropic": ("claude",)}


def test_the_bill_of_a_cloud_in_files_is_of_the_upstreams_that_the_cloud_invoices():
    azure = FocusConnection(name="azure-bill", files=("a.csv",), host="azure")
    assert beside(azure).billed_by == {"azure": ("azure-bill",), "azure_ai": ("azure-bill",)}
    bedrock = BedrockConnection(name="aws-bill", files=("a.csv",))
    its = {"bedrock": ("aws-bill",), "bedrock_converse": ("aws-bill",)}
    assert beside(bedrock).billed_by == its


def test_of_two_bills_of_one_upstream_either_may_have_a_row():
    both = beside(OpenAIConnection(name="acme"), OpenAIConnection(name="beta"))
    tags = ledger_of(both).frame.filter(provider="openai")["tags"].unique().to_list()
    assert tags == ['{"billed_by":"acme|beta"}']


def test_tokens_of_the_same_pages_are_usage():
    (batch,) = used([kept("litellm", {"daily.0": PAGE})], ONE)
    rows = batch.frame.filter(model="gpt-5.4").select(
        "provider", "input_tokens", "input_uncached_tokens", "input_cached_tokens", "output_tokens"
    )
    assert sorted(rows.rows()) == [("litellm", 400, 400, 0, 80), ("litellm", 600, 200, 400, 120)]


def test_virtual_keys_say_whose_proxy_it_is_and_what_stands_in_their_place_does_not():
    metered = kept("litellm", {"daily.0": PAGE})
    keys = {"a" * 64, "b" * 64}
    assert owned_ids(metered) == keys
    for name in ("litellm_proxy_master_key", "litellm-internal-health-check", EXAMPLE_KEY, ""):
        body = PAGE.replace(b"a" * 64, name.encode())
        assert owned_ids(kept("litellm", {"daily.0": body})) == keys - {"a" * 64}
    assert owned_ids(kept("litellm", {"daily.0": b"?"})) == set()


def test_the_rights_of_a_key_are_asked_for_once_in_a_reading():
    days = Activity(ONE)
    _, first = converse(days.read_day(DAY), lambda _get: PAGE)
    _, second = converse(days.read_day(DAY), lambda _get: PAGE)
    assert [one.path for one in first] == ["/global/spend", "/user/daily/activity"]
    assert [one.path for one in second] == ["/user/daily/activity"]


@pytest.mark.parametrize(
    ("refused", "raised", "words"),
    [
        (AccessRefused(ErrorAnswer("one", 401, "/x", "Only admins"), "K"), ViewIsPartial, "a part"),
        (
            RequestRefused(ErrorAnswer("one", 500, "/x", "Database not connected")),
            DatabaseMissing,
            "no database",
        ),
    ],
)
def test_a_part_of_a_proxy_is_not_read_as_the_whole(
    refused: Exception, raised: type[Exception], words: str
):
    def answer(get: Get) -> Body | Exception:
        return refused if get.path == "/global/spend" else PAGE

    with pytest.raises(raised, match=words):
        converse(Activity(ONE).read_day(DAY), answer)
