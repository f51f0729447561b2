"""The views of the directory: projects and API keys with what they cost. No e-mail address."""

from openai_costs.outputs.publish.bi.view import NONE, View, shared
from openai_costs.questions.namesakes import WITH_NAMESAKES, join_namesakes, label

_SPENT = """
    LEFT JOIN (SELECT connection, {0}, sum(billed_usd) AS billed_usd, min(day) AS first_day,
                      max(day) AS last_day
               FROM mart.spend WHERE {0} IS NOT NULL GROUP BY ALL) s
      ON s.connection = t.connection AND s.{0} = t.id
"""
_SPEND = {
    "billed_usd": "Dollars billed on all stored days, credits and taxes of the bill included; "
    "rounded. [USD]",
    "first_spend_day": "First stored UTC day with spend. [UTC day]",
    "last_spend_day": "Newest stored UTC day with spend. [UTC day]",
}
_SPEND_SQL = """
    CAST(coalesce(s.billed_usd, 0) AS DOUBLE) AS billed_usd, s.first_day AS first_spend_day,
    s.last_day AS last_spend_day
"""

PROJECTS = View(
    name="projects",
    about="Projects with what they cost. Includes archived projects and those no longer listed, "
    "not those of providers without lists (docs/operations.md). One row per connection and "
    "project.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT t.connection, t.provider, t.id AS project_id,
               {label("project", "t.name", "t.id")} AS project,
               t.status, t.created_at, t.archived_at, t.first_seen_day, t.last_seen_day,
               t.is_current, {_SPEND_SQL}
        FROM core.projects t {_SPENT.format("project_id")} {join_namesakes("project", "t.id")}
    """,  # noqa: S608 - our own words
    columns=shared("connection", "provider", "project_id", "project", "status", "created_at")
    | shared("first_seen_day", "last_seen_day", "is_current")
    | {"archived_at": "When the project was archived. [UTC timestamp]"}
    | _SPEND,
    answers="Which projects are there, and what did each cost in all?",
)

API_KEYS = View(
    name="api_keys",
    about="API keys with their owners and what they cost. Includes keys no longer listed, not "
    "those of providers without lists (docs/operations.md). One row per connection and API key.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT t.connection, t.provider, t.id AS api_key_id,
               {label("api_key", "t.name", "t.id")} AS api_key, t.project_id,
               {label("project", "p.name", "t.project_id", NONE)} AS project,
               t.owner_type, t.owner_id,
               {label("user", "t.owner_name", "t.owner_id", NONE)} AS owner,
               t.status, t.redacted_value, t.created_at, t.last_used_at, t.expires_at,
               t.first_seen_day, t.last_seen_day, t.is_current, {_SPEND_SQL}
        FROM core.api_keys t {_SPENT.format("api_key_id")}
        LEFT JOIN core.projects p ON p.connection = t.connection AND p.id = t.project_id
        {join_namesakes("api_key", "t.id")}
        {join_namesakes("project", "t.project_id")}
        {join_namesakes("user", "t.owner_id")}
    """,  # noqa: S608 - our own words
    columns=shared("connection", "provider", "project_id", "project", "api_key_id", "api_key")
    | shared("status", "created_at", "last_used_at", "first_seen_day", "last_seen_day")
    | shared("is_current")
    | {
        "owner_type": "user or service_account; null if the provider does not say.",
        "owner_id": "The owner's id.",
        "owner": "The owner's last known name, or the id where no name is known, or (none).",
        "redacted_value": "The key as the provider shows it: all but its first and last "
        "characters hidden.",
        "expires_at": "When the key expires. [UTC timestamp]",
    }
    | _SPEND,
    answers="Whose is this API key, when was it last used, and what did it cost in all?",
)

DIRECTORY = (PROJECTS, API_KEYS)
