"""Which provider a question is about, where it is about one. Pure.

Some questions know one vendor's words: its price catalogue, the labels of its bill, the keys behind
the gateway. They look at that provider's rows only; every other dollar is none of their business.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.tables.core.spend import BILLED

OPENAI: Final = "openai"
"""What gateway_bypass, reconciliation, optimization and the check of usage against the bill are
about."""

PRICES: Final = "prices"
GATEWAY_BYPASS: Final = "gateway_bypass"
OPTIMIZATION: Final = "optimization"

WHY_NOT: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        PRICES: {
            "azure": "Azure's meters have no list in the catalogue; its export states the list "
            "price of each row (list_usd).",
            "chatgpt_workspace": "ChatGPT workspaces are charged in credits, which have no list "
            "price in dollars.",
            "github_copilot": "Copilot is charged in AI credits, and GitHub states the price of "
            "each line before discounts (list_usd).",
            "litellm": "A proxy's meter is no bill: its dollars are already its own list price.",
            "openrouter": "OpenRouter charges what the provider of each request does, and its "
            "activity adds up requests of several providers.",
        },
        GATEWAY_BYPASS: {
            "anthropic": "Keys of Anthropic are not matched with gateway tokens; only the sums of "
            "the bill and the meter are compared (mart.gateway_capture).",
            "aws": "AWS bills a role or an account, and a gateway in front of Bedrock is one role.",
            "azure": "Azure bills a resource and names no key.",
            "chatgpt_workspace": "People use ChatGPT and Codex by their seat, not through a "
            "gateway's tokens.",
            "github_copilot": "People use Copilot by their seat, not through a gateway's tokens.",
            "google": "Google's bill names neither a key nor a user.",
            "litellm": "The proxy is the gateway: what it meters cannot bypass it.",
            "openrouter": "OpenRouter's activity names no key.",
        },
        OPTIMIZATION: {
            "anthropic": "Anthropic's bill has no quantities, so that a saving could not be "
            "checked against its lines.",
            "aws": "A usage report by key and day, which the rules on savings read, is not part "
            "of AWS's bill.",
            "azure": "A usage report by key and day, which the rules on savings read, is not part "
            "of Azure's export.",
            "chatgpt_workspace": "Credits of a workspace have no list price to save against.",
            "github_copilot": "Copilot's bill counts credits and no tokens.",
            "google": "A usage report by key and day, which the rules on savings read, is not "
            "part of Google's export.",
            "litellm": "A proxy's meter is no bill: a saving belongs to the provider behind it.",
            "openrouter": "OpenRouter's activity has tokens by model and day, and names no key.",
        },
    }
)
"""Why a question does not apply to who invoices, in one sentence, by question and host."""

ON_ITS_BILL: Final = f"provider = '{OPENAI}' AND host = '{OPENAI}'"
"""The billed rows of core.spend that are on OpenAI's own bill, in SQL."""


def why_not(question: str, host: str) -> str:
    """Return why a question does not apply to who invoices, in one sentence."""
    return WHY_NOT[question].get(host, f"No rule of {question} knows the bill of {host}.")


def left_out(question: str, hosts: Iterable[str]) -> Iterator[str]:
    """Yield who a question leaves out, and why, for those who invoice: a line for each.

    Args:
        question: A question that is about OpenAI's bill alone.
        hosts: Who invoices.
    """
    for host in sorted({*hosts} - {OPENAI}):
        yield f"Not about {host}: {why_not(question, host)}"


def of_openai(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table with a column `provider` that are on OpenAI's own bill.

    A model of OpenAI that someone else resells has a `host` of its own, and what someone else
    counted of OpenAI's bill is not billed.
    """
    ours = {"provider": OPENAI, "host": OPENAI, "cost_basis": BILLED}
    return rows.filter(pl.col(name) == it for name, it in ours.items() if name in rows.columns)


def at_openai(
    rows: pl.DataFrame, connections: Iterable[Connection], ledger: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows of a table without that column whose connections are not another provider's.

    Args:
        rows: connection, and more.
        connections: The connections of the settings.
        ledger: core.spend: names the provider of a connection that has left the settings.
    """
    elsewhere = ledger.filter(pl.col("provider") != OPENAI)["connection"].unique()
    named = {one.name for one in connections if one.provider != OPENAI}
    return rows.filter(~pl.col("connection").is_in([*elsewhere, *named]))
