"""The view of usage: tokens, requests and other quantities, with names."""

from openai_costs.outputs.publish.bi.view import NONE, View, or_none, shared
from openai_costs.questions.namesakes import PEOPLE, WITH_NAMESAKES, join_namesakes, label

_TOKENS = {
    "input_tokens": "All input tokens, cached ones included; null if not counted. [tokens]",
    "input_uncached_tokens": "Input tokens neither read from nor written to the cache. [tokens]",
    "input_cached_tokens": "Input tokens read from the cache. [tokens]",
    "input_cache_write_tokens": "Input tokens written to the cache. [tokens]",
    "output_tokens": "All output tokens; null if not counted. [tokens]",
    "num_model_requests": "Requests made to the model. [requests]",
}
_SUMS = ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in _TOKENS)
_AT = """
    day, connection, provider, endpoint, project_id, api_key_id, user_id, model, batch,
    service_tier, quantity_unit
"""
_SAME_ID = "ON {0}.connection = u.connection AND {0}.id = u.{1}"

USAGE_DAILY = View(
    name="usage_daily",
    about="Daily usage with names. One row per UTC day, connection, endpoint, project, API key, "
    "user, model, batch, service tier and unit.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT u.day, CAST(date_trunc('month', u.day) AS DATE) AS month, u.connection, u.provider,
               u.endpoint, u.project_id,
               {label("project", "p.name", "u.project_id", NONE)} AS project,
               u.api_key_id, {label("api_key", "k.name", "u.api_key_id", NONE)} AS api_key,
               u.user_id, {label("user", "m.name", "u.user_id", NONE)} AS user_label,
               {or_none("u.model")} AS model, u.batch,
               {or_none("u.service_tier")} AS service_tier,
               {", ".join(f"u.{name}" for name in _TOKENS)},
               CAST(u.quantity AS DOUBLE) AS quantity, u.quantity_unit
        FROM (SELECT {_AT}, {_SUMS}, sum(quantity) AS quantity FROM core.usage GROUP BY {_AT}) u
        LEFT JOIN core.projects p {_SAME_ID.format("p", "project_id")}
        LEFT JOIN core.api_keys k {_SAME_ID.format("k", "api_key_id")}
        LEFT JOIN ({PEOPLE}) m {_SAME_ID.format("m", "user_id")}
        {join_namesakes("project", "u.project_id")}
        {join_namesakes("api_key", "u.api_key_id")}
        {join_namesakes("user", "u.user_id")}
    """,  # noqa: S608 - our own words
    columns=shared("month", "connection", "provider", "project_id", "project")
    | shared("api_key_id", "api_key", "user_id", "user_label", "model")
    | {
        "day": "The UTC day of the usage. [UTC day]",
        "endpoint": "The usage endpoint: completions, embeddings, images, ...",
        "batch": "Whether the Batch API was used; null if unknown.",
        "service_tier": "default, flex, priority, ...; (none) if unknown.",
    }
    | _TOKENS
    | {
        "quantity": "Quantity of anything other than tokens. [quantity_unit]",
        "quantity_unit": "images, characters, seconds, bytes, sessions or calls.",
    },
    answers="How many tokens, requests, images and searches, at which endpoint?",
)

USAGE = (USAGE_DAILY,)
