"""The view where dollars and tokens meet: the bill's dollars, the usage report's tokens.

Dollars are those of mart.spend_attribution, tokens and requests those of core.usage: each keeps its
sum, whether or not the other names the same key, user and model. The user of tokens is the one
that the report names, or else the owner of the key; their team is the one that the attribution
gives to the same key, user and project. The page counts the same way (outputs/report/facts.py).
"""

from typing import Final

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.view import NONE, View, or_none, shared, with_is_connected
from openai_costs.outputs.publish.rounded import ROUNDED
from openai_costs.questions.model_names import canonical_model_sql
from openai_costs.questions.namesakes import PEOPLE, WITH_NAMESAKES, join_namesakes, label
from openai_costs.questions.token_kinds import NO_TOKENS, ONLY_INPUT

_DIMENSIONS: Final = (
    *("day", "connection", "provider", "team", "project_id", "api_key_id", "user_id", "model"),
    "usage_type",
)
_CACHE_WRITES: Final = ("cache_write_5m", "cache_write_1h")
_TIMED: Final = " + ".join(f"coalesce(u.input_{kind}_tokens, 0)" for kind in _CACHE_WRITES)


def _words(*texts: str) -> str:
    return ", ".join(map(literal, texts))


_INPUT_ONLY: Final = f"u.endpoint IN ({_words(*ONLY_INPUT)})"
_OF_KIND: Final = {
    "cached_input": "u.input_cached_tokens",
    "cache_write": f"u.input_cache_write_tokens - ({_TIMED})",
    **{kind: f"u.input_{kind}_tokens" for kind in _CACHE_WRITES},
    "output": "u.output_tokens",
}
_TOKENS: Final = {
    "input": f"""
        CASE WHEN {_INPUT_ONLY} THEN u.input_tokens
             ELSE coalesce(u.input_uncached_tokens, u.input_tokens
                  - coalesce(u.input_cached_tokens, 0) - coalesce(u.input_cache_write_tokens, 0))
        END""",
    **{kind: f"CASE WHEN NOT {_INPUT_ONLY} THEN {sql} END" for kind, sql in _OF_KIND.items()},
}
"""Each usage type that is tokens, and how many of them a row of core.usage has."""
TOKEN_SUMS: Final = ", ".join(
    f"sum(CASE WHEN u.endpoint NOT IN ({_words(*NO_TOKENS)}) THEN {sql} END) AS {kind}"
    for kind, sql in _TOKENS.items()
)
"""SQL: the sum of each kind of tokens over rows `u` of core.usage."""
_SPENDERS: Final = """
    SELECT connection, api_key_id, user_id, project_id, min(team) AS least, max(team) AS most,
           bool_and(team IS NOT NULL) AS is_known
    FROM mart.spend_attribution GROUP BY ALL
"""
_ONE_TEAM: Final = """
    (SELECT connection, {0}, min(least) AS team FROM spenders
     GROUP BY ALL HAVING bool_and(is_known) AND min(least) = max(most))
"""
_SAME: Final = "{0}.connection = u.connection AND {0}.{1} = u.{1}"
_USED: Final = f"""
    SELECT u.*, coalesce(t.team, p.team, j.team) AS team
    FROM (SELECT u.day, u.connection, u.provider, u.project_id, u.api_key_id,
                 coalesce(u.user_id, k.owner_id) AS user_id,
                 {canonical_model_sql("u.model")} AS model,
                 sum(u.num_model_requests) AS requests, {TOKEN_SUMS}
          FROM core.usage u
          LEFT JOIN core.api_keys k ON k.connection = u.connection AND k.id = u.api_key_id
          GROUP BY ALL) u
    LEFT JOIN {_ONE_TEAM.format("api_key_id, user_id, project_id")} t
      ON t.connection = u.connection AND t.api_key_id IS NOT DISTINCT FROM u.api_key_id
     AND t.user_id IS NOT DISTINCT FROM u.user_id
     AND t.project_id IS NOT DISTINCT FROM u.project_id
    LEFT JOIN {_ONE_TEAM.format("user_id")} p ON {_SAME.format("p", "user_id")}
    LEFT JOIN {_ONE_TEAM.format("project_id")} j ON {_SAME.format("j", "project_id")}
"""  # noqa: S608 - our own words
_BOTH: Final = f"""
    SELECT {", ".join(_DIMENSIONS)}, sum(usd) AS billed_usd,
           CAST(sum(tokens) AS BIGINT) AS tokens, CAST(sum(requests) AS BIGINT) AS requests
    FROM (SELECT {", ".join(_DIMENSIONS)}, {ROUNDED} AS usd, NULL AS tokens, NULL AS requests
          FROM mart.spend_attribution
          UNION ALL
          SELECT {", ".join(_DIMENSIONS)}, NULL, tokens, requests
          FROM (SELECT * EXCLUDE (requests), unnest([{_words(*_TOKENS)}, NULL]) AS usage_type,
                       unnest([{", ".join(_TOKENS)}, NULL]) AS tokens,
                       unnest([{"NULL, " * len(_TOKENS)}requests]) AS requests FROM used)
          WHERE tokens <> 0 OR requests <> 0)
    GROUP BY ALL
"""  # noqa: S608 - our own words
_SAME_ID: Final = "ON {0}.connection = d.connection AND {0}.id = d.{1}"

_DAILY: Final = View(
    name="daily",
    about="Dollars and tokens at one grain. One row per UTC day, connection, team, project, API "
    "key, user, model and usage type. Requests have rows of their own, with the usage type (none), "
    "because a request has input and output. Dollars add up to the bill, tokens and requests to "
    "the usage report.",
    sql=f"""
        {WITH_NAMESAKES}, spenders AS MATERIALIZED ({_SPENDERS}), used AS ({_USED}), d AS ({_BOTH})
        SELECT d.day, CAST(date_trunc('month', d.day) AS DATE) AS month, d.connection, d.provider,
               {or_none("d.team")} AS team,
               d.project_id, {label("project", "p.name", "d.project_id", NONE)} AS project,
               d.api_key_id, {label("api_key", "k.name", "d.api_key_id", NONE)} AS api_key,
               d.user_id, {label("user", "m.name", "d.user_id", NONE)} AS user_label,
               {or_none("d.model")} AS model, {or_none("d.usage_type")} AS usage_type,
               d.billed_usd, d.tokens, d.requests
        FROM d
        LEFT JOIN core.projects p {_SAME_ID.format("p", "project_id")}
        LEFT JOIN core.api_keys k {_SAME_ID.format("k", "api_key_id")}
        LEFT JOIN ({PEOPLE}) m {_SAME_ID.format("m", "user_id")}
        {join_namesakes("project", "d.project_id")}
        {join_namesakes("api_key", "d.api_key_id")}
        {join_namesakes("user", "d.user_id")}
    """,  # noqa: S608 - our own words
    columns=shared("day", "month", "connection", "provider", "team", "project_id", "project")
    | shared("api_key_id", "api_key", "user_id", "user_label", "model", "usage_type")
    | {
        "billed_usd": "Dollars billed, credits and taxes of the bill included; null if only tokens "
        "are known. Rounded. [USD]",
        "tokens": "Tokens of the usage type; null if not counted. [tokens]",
        "requests": "Requests made to the model; only in rows with the usage type (none). "
        "[requests]",
    },
    answers="What did we spend and use: dollars, tokens and requests, by anything?",
)

DAILY: Final = with_is_connected(_DAILY)
