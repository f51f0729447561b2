"""The view of unit costs: what a million tokens and a request cost, how much was cached, batched.

Batch tokens cost less, and a cached token less than another: the shares say why a price moved.
"""

from typing import Final

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.daily import TOKEN_SUMS
from openai_costs.outputs.publish.bi.view import View, or_none, shared, with_is_connected
from openai_costs.questions.model_names import canonical_model_sql

_KINDS: Final = {
    "input": ("input",),
    "cached_input": ("cached_input",),
    "cache_write": ("cache_write", "cache_write_5m", "cache_write_1h"),
    "output": ("output",),
}
"""The kinds with a price of their own, and the usage types of each."""
_TYPES: Final = tuple(one for types in _KINDS.values() for one in types)
_INPUTS: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens")


def _known(*columns: str) -> str:
    """Return SQL for a sum in which what is not known adds nothing; null if nothing is known."""
    zeros = " + ".join(f"coalesce({one}, 0)" for one in columns)
    return (
        zeros
        if len(columns) == 1
        else f"CASE WHEN coalesce({', '.join(columns)}) IS NOT NULL THEN {zeros} END"
    )


def _billed(*types: str) -> str:
    return f"sum(billed_usd) FILTER (usage_type IN ({', '.join(map(literal, types))}))"


_USD: Final = {
    "billed_usd": "sum(billed_usd)",
    "token_usd": _billed(*_TYPES),
    **{f"{kind}_usd": _billed(*types) for kind, types in _KINDS.items()},
}
_TOKENS: Final = {
    f"{kind}_tokens": types[0] if len(types) == 1 else _known(*types)
    for kind, types in _KINDS.items()
}
_AT: Final = "day, connection, provider, model"
_USED: Final = f"""
    SELECT {_AT}, {", ".join(f"{sql} AS {name}" for name, sql in _TOKENS.items())},
           requests, batch_tokens
    FROM (SELECT u.day, u.connection, u.provider, {canonical_model_sql("u.model")} AS model,
                 {TOKEN_SUMS}, sum(u.num_model_requests) AS requests,
                 sum(coalesce(u.input_tokens, 0) + coalesce(u.output_tokens, 0))
                     FILTER (u.batch) AS batch_tokens
          FROM core.usage u GROUP BY ALL)
"""  # noqa: S608 - our own words
_BOTH: Final = f"""
    SELECT {_AT},
           {", ".join(f"CAST(sum({name}) AS DOUBLE) AS {name}" for name in _USD)},
           {", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in _TOKENS)},
           CAST(sum(requests) AS BIGINT) AS requests,
           CAST(sum(batch_tokens) AS BIGINT) AS batch_tokens
    FROM (SELECT {_AT}, {", ".join(f"{sql} AS {name}" for name, sql in _USD.items())}
          FROM mart.spend GROUP BY ALL
          UNION ALL BY NAME {_USED})
    GROUP BY ALL
"""  # noqa: S608 - our own words


def _per(usd: str, count: str, many: str = "1e6") -> str:
    return f"CASE WHEN {count} > 0 THEN {usd} * {many} / {count} END"


_RATIOS: Final = {
    "usd_per_million_tokens": _per("token_usd", "tokens"),
    **{f"usd_per_million_{one}_tokens": _per(f"{one}_usd", f"{one}_tokens") for one in _KINDS},
    "usd_per_request": _per("billed_usd", "requests", "1"),
    "cache_hit_pct": _per("cached_input_tokens", "all_input", "100.0"),
    "batch_pct": _per("batch_tokens", "tokens", "100.0"),
}
_NULL: Final = "null where one of them is not known"
_WORDS: Final = {one: one.replace("_", " ") for one in _KINDS}

_UNIT_COSTS: Final = View(
    name="unit_costs",
    about="What tokens and requests cost. One row per UTC day, connection and model. Prices and "
    "percentages do not add up: over several rows, divide the sum of dollars by the sum of tokens.",
    sql=f"""
        WITH both_sides AS (
            SELECT *, {_known(*_TOKENS)} AS tokens, {_known(*_INPUTS)} AS all_input FROM ({_BOTH}))
        SELECT day, CAST(date_trunc('month', day) AS DATE) AS month, connection, provider,
               {or_none("model")} AS model, {", ".join(_USD)}, tokens, {", ".join(_TOKENS)},
               batch_tokens, requests,
               {", ".join(f"{sql} AS {name}" for name, sql in _RATIOS.items())}
        FROM both_sides
    """,  # noqa: S608 - our own words
    columns=shared("day", "month", "connection", "provider", "model")
    | {
        "billed_usd": "Dollars billed, tokens and everything else; null if only tokens are known. "
        "Rounded. [USD]",
        "token_usd": "The dollars of token lines; null if there are none. Rounded. [USD]",
    }
    | {f"{one}_usd": f"The part of {words} tokens. [USD]" for one, words in _WORDS.items()}
    | {"tokens": "Tokens of all kinds; null if not counted. [tokens]"}
    | {f"{one}_tokens": f"The part of {words}. [tokens]" for one, words in _WORDS.items()}
    | {
        "batch_tokens": "Tokens of the Batch API; null if none are known. [tokens]",
        "requests": "Requests made to the model; null if not counted. [requests]",
        "usd_per_million_tokens": f"token_usd per million tokens; {_NULL}. [USD]",
    }
    | {
        f"usd_per_million_{one}_tokens": f"{one}_usd per million {words} tokens; {_NULL}. [USD]"
        for one, words in _WORDS.items()
    }
    | {
        "usd_per_request": f"billed_usd per request; {_NULL}. [USD]",
        "cache_hit_pct": "Cached input as a percentage of all input tokens; null if the provider "
        "counts no cached tokens. [%]",
        "batch_pct": "batch_tokens as a percentage of tokens; null if none are known. [%]",
    },
    answers="What does a million tokens cost, and how much is cached or batched?",
)

UNIT_COSTS: Final = with_is_connected(_UNIT_COSTS)
