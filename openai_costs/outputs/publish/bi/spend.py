"""The views of spend: daily cost, by user, with its attribution, and which days are covered."""

from openai_costs.outputs.publish.bi.view import View, shared

_COVERED = """
    LEFT JOIN mart.coverage c
      ON c.connection = s.connection AND c.day = s.day AND c.source = 'costs'
"""
_WHEN_AND_WHOSE = """
    SELECT s.day, CAST(date_trunc('month', s.day) AS DATE) AS month, s.connection, s.provider
"""

COST_DAILY = View(
    name="cost_daily",
    about="Daily cost by project, key and model. One row per UTC day, connection, project, API "
    "key, team, model and usage type.",
    sql=f"""
        {_WHEN_AND_WHOSE},
               s.project_id, coalesce(s.project_name, s.project_id, '(no project)') AS project,
               s.api_key_id, coalesce(s.api_key_name, s.api_key_id, '(no key)') AS api_key,
               s.team, s.model, s.usage_type, CAST(s.billed_usd AS DOUBLE) AS billed_usd,
               c.state
        FROM mart.spend s {_COVERED}
    """,
    columns=shared("day", "month", "connection", "provider", "team", "model", "usage_type")
    | shared("billed_usd", "state", "project_id", "project", "api_key_id", "api_key"),
)

COST_BY_USER = View(
    name="cost_by_user",
    about="Daily cost by user and model. One row per UTC day, connection, user, team, model, "
    "usage type and attribution.",
    sql=f"""
        {_WHEN_AND_WHOSE},
               s.user_id, coalesce(s.user_name, s.user_id, '(unattributed)') AS user_label,
               s.team, s.model, s.usage_type, CAST(s.billed_usd AS DOUBLE) AS billed_usd,
               s.attribution, c.state
        FROM mart.spend_by_user s {_COVERED}
    """,
    columns=shared("day", "month", "connection", "provider", "team", "model", "usage_type")
    | shared("billed_usd", "state", "user_id")
    | {
        "user_label": "The user's last known name, or id, or (unattributed).",
        "attribution": "How the dollars found the user: direct, key_owner, allocated or "
        "unattributed.",
    },
)

SPEND_BY_USER = View(
    name="spend_by_user",
    about="Every dollar, whose it is, and how that is known. One row per UTC day, connection, "
    "project, API key, user, model, usage type, attribution and pool.",
    sql=f"""
        {_WHEN_AND_WHOSE},
               s.user_id, coalesce(s.user_name, s.user_id, '(unattributed)') AS user_label,
               s.team, s.project_id,
               coalesce(s.project_name, s.project_id, '(no project)') AS project,
               s.api_key_id, s.model, s.usage_type,
               CAST(s.billed_usd AS DOUBLE) AS billed_usd, s.attribution, s.pool,
               CAST(s.share_pct AS DOUBLE) AS share_pct, c.state
        FROM mart.spend_attribution s {_COVERED}
    """,
    columns=shared("day", "month", "connection", "provider", "team", "model", "usage_type")
    | shared("billed_usd", "state", "user_id", "project_id", "project", "api_key_id")
    | {
        "user_label": "The user's last known name, or id, or (unattributed).",
        "attribution": "direct: the provider names the user; key_owner: the API key's owner; "
        "allocated: by share of tokens; unattributed: nobody.",
        "pool": "For dollars shared out by tokens: whose tokens, project or organization.",
        "share_pct": "For dollars shared out by tokens: the user's, or nobody's, share. [%]",
    },
)

COVERAGE = View(
    name="coverage",
    about="Which days can be believed. One row per connection, source and UTC day.",
    sql="""
        SELECT connection, source, day, state, rows, CAST(billed_usd AS DOUBLE) AS billed_usd,
               read_at
        FROM mart.coverage
    """,
    columns=shared("connection", "day", "state", "billed_usd")
    | {
        "source": "What was read: costs or usage.",
        "rows": "Rows of the day; null when missing. [rows]",
        "read_at": "When the provider was asked. [UTC timestamp]",
    },
)

SPEND = (COST_DAILY, COST_BY_USER, SPEND_BY_USER, COVERAGE)
