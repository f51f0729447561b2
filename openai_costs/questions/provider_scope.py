"""Which provider a question is about, where it is about one. Pure.

Some questions know one vendor's words: its price catalogue, the labels of its bill, the keys behind
the gateway. They look at that provider's rows only; every other dollar is none of their business.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.tables.core.spend import BILLED

OPENAI: Final = "openai"
"""What gateway_bypass, reconciliation and the check of usage against the bill are about."""

PRICES: Final = "prices"
GATEWAY_BYPASS: Final = "gateway_bypass"
OPTIMIZATION: Final = "optimization"
RECONCILIATION: Final = "reconciliation"
SEATS: Final = "seats"

WITH_LISTS: Final = (OPENAI, "anthropic", "aws", "google")
"""Who invoices and has a price list in the catalogue."""

ANSWERED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        PRICES: WITH_LISTS,
        GATEWAY_BYPASS: (OPENAI,),
        OPTIMIZATION: WITH_LISTS,
        RECONCILIATION: (OPENAI,),
        SEATS: (OPENAI, "anthropic", "chatgpt_workspace", "github_copilot"),
    }
)
"""Whose bills a question is about, where it is not about all of them."""

_SUMS: Final = "only the sums of the bill and the meter are compared (mart.gateway_capture)."
_NO_PRICE: Final = "Seats are listed and judged; [seats] prices those of OpenAI's contract alone."

WHY_NOT: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        PRICES: {
            "azure": "Azure's meters have no list in the catalogue; its export states the list "
            "price of each row (list_usd).",
            "chatgpt_workspace": "ChatGPT workspaces are charged in credits, which have no list "
            "price in dollars.",
            "github_copilot": "Copilot is charged in AI credits, and GitHub states the price of "
            "each line before discounts (list_usd).",
            "litellm": "A proxy's meter is not a bill: its dollars are already its own list price.",
            "openrouter": "OpenRouter charges what the provider of each request does, and its "
            "activity adds up requests of several providers.",
        },
        GATEWAY_BYPASS: {
            "anthropic": f"Keys of Anthropic are not matched with gateway tokens; {_SUMS}",
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
            "azure": "Azure's meters have no list in the catalogue that a saving could be "
            "worked out with.",
            "chatgpt_workspace": "Credits of a workspace have no list price to save against.",
            "github_copilot": "Copilot's bill counts credits and no tokens.",
            "litellm": "A proxy's meter is not a bill: a saving belongs to the provider behind it.",
            "openrouter": "OpenRouter's activity has tokens by model and day, and names no key.",
        },
        RECONCILIATION: {
            "anthropic": f"Keys of Anthropic are not matched with gateway tokens; {_SUMS}",
            "aws": f"A gateway in front of Bedrock is one role on the bill; {_SUMS}",
            "azure": f"Azure bills a resource and names no key; {_SUMS}",
            "chatgpt_workspace": "People use ChatGPT and Codex by their seat: no gateway meters "
            "that.",
            "github_copilot": "People use Copilot by their seat: no gateway meters that.",
            "google": f"Google's bill names no key; {_SUMS}",
            "litellm": "The proxy is the gateway: its meter has no bill of its own to agree with.",
            "openrouter": f"OpenRouter's activity names no key; {_SUMS}",
        },
        SEATS: {
            "aws": "AWS's export lists no members: who may use Bedrock is in IAM, which is not "
            "read.",
            "azure": "Azure's export lists no members: who may use a resource is in Entra ID, "
            "which is not read.",
            "google": "Google's export lists no members: who may use a project is in IAM, which "
            "is not read.",
            "litellm": "A proxy has tokens instead of seats.",
            "openrouter": "OpenRouter's activity lists no members.",
        },
    }
)
"""Why a question does not apply to who invoices, in one sentence, by question and host."""

HOW_FAR: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        PRICES: {
            "aws": "The catalogue has no price of AWS's tiers flex, priority and reserved; the "
            "export states the list price of each row (list_usd).",
        },
        OPTIMIZATION: {
            "anthropic": "Tokens are those of the usage report, which does not tell long requests "
            "apart: the rule on long context does not apply.",
            "aws": "Tokens are the quantities on the bill; rules by key apply where CUR 2.0 names "
            "the IAM principal.",
            "google": "Tokens are the quantities on the bill, which names no key: only successors "
            "and long context are looked for.",
        },
        SEATS: dict.fromkeys(("anthropic", "chatgpt_workspace", "github_copilot"), _NO_PRICE),
    }
)
"""How far a question applies to who invoices, in one sentence, where it does not wholly."""

ON_ITS_BILL: Final = f"provider = '{OPENAI}' AND host = '{OPENAI}'"
"""The billed rows of core.spend that are on OpenAI's own bill, in SQL."""


def why_not(question: str, host: str) -> str:
    """Return why a question does not apply to who invoices, in one sentence."""
    return WHY_NOT[question].get(host, f"No rule of {question} knows the bill of {host}.")


def left_out(question: str, hosts: Iterable[str]) -> Iterator[str]:
    """Yield who a question leaves out or is only partly about, and why: a line for each.

    Args:
        question: A question that is not about every bill.
        hosts: Who invoices.
    """
    for host in sorted({*hosts}):
        if host not in ANSWERED[question]:
            yield f"Not about {host}: {why_not(question, host)}"
        elif about := HOW_FAR.get(question, {}).get(host):
            yield f"Partly about {host}: {about}"


def of_openai(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table with a column `provider` that are on OpenAI's own bill.

    A model of OpenAI that someone else resells has a `host` of its own, and what someone else
    counted of OpenAI's bill is not billed.
    """
    ours = {"provider": OPENAI, "host": OPENAI, "cost_basis": BILLED}
    return rows.filter(pl.col(name) == it for name, it in ours.items() if name in rows.columns)


def on_bills_of(rows: pl.DataFrame, hosts: Collection[str]) -> pl.DataFrame:
    """Return the billed rows of a table that are on the bills of some who invoice.

    A table without a column `host` is judged by its provider: a usage report is of the bill beside
    it.

    Args:
        rows: host or provider, cost_basis where it has one, and more.
        hosts: Who invoices.
    """
    who = "host" if "host" in rows.columns else "provider"
    ours = rows.filter(pl.col(who).is_in([*hosts]))
    return ours.filter(cost_basis=BILLED) if "cost_basis" in rows.columns else ours


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
