"""The views of the directory: projects and API keys with what they cost. No e-mail address."""

from openai_costs.outputs.publish.bi.view import View, shared

_SPENT = """
    LEFT JOIN (SELECT connection, {0}, sum(billed_usd) AS billed_usd, min(day) AS first_day,
                      max(day) AS last_day
               FROM mart.spend WHERE {0} IS NOT NULL GROUP BY ALL) s
      ON s.connection = t.connection AND s.{0} = t.id
"""
_SPEND = {
    "billed_usd": "Dollars billed on all days held, before credits and taxes; rounded. [USD]",
    "first_spend_day": "First UTC day with spend, of the days held. [UTC day]",
    "last_spend_day": "Newest UTC day with spend, of the days held. [UTC day]",
}
_SPEND_SQL = """
    CAST(coalesce(s.billed_usd, 0) AS DOUBLE) AS billed_usd, s.first_day AS first_spend_day,
    s.last_day AS last_spend_day
"""

PROJECTS = View(
    name="projects",
    about="Projects with what they cost. Archived and vanished ones too. One row per connection "
    "and project.",
    sql=f"""
        SELECT t.connection, t.provider, t.id AS project_id, coalesce(t.name, t.id) AS project,
               t.status, t.created_at, t.archived_at, t.first_seen_day, t.last_seen_day,
               t.is_current, {_SPEND_SQL}
        FROM core.projects t {_SPENT.format("project_id")}
    """,  # noqa: S608 - our own words
    columns=shared("connection", "provider", "project_id", "project", "status", "created_at")
    | shared("first_seen_day", "last_seen_day", "is_current")
    | {"archived_at": "When it was archived. [UTC timestamp]"}
    | _SPEND,
)

API_KEYS = View(
    name="api_keys",
    about="API keys with their owners and their cost. Vanished ones too. One row per connection "
    "and API key.",
    sql=f"""
        SELECT t.connection, t.provider, t.id AS api_key_id, coalesce(t.name, t.id) AS api_key,
               t.project_id, coalesce(p.name, t.project_id, '(no project)') AS project,
               t.owner_type, t.owner_id, coalesce(t.owner_name, t.owner_id, '(no owner)') AS owner,
               t.status, t.redacted_value, t.created_at, t.last_used_at, t.expires_at,
               t.first_seen_day, t.last_seen_day, t.is_current, {_SPEND_SQL}
        FROM core.api_keys t {_SPENT.format("api_key_id")}
        LEFT JOIN core.projects p ON p.connection = t.connection AND p.id = t.project_id
    """,  # noqa: S608 - our own words
    columns=shared("connection", "provider", "project_id", "project", "api_key_id", "api_key")
    | shared("status", "created_at", "last_used_at", "first_seen_day", "last_seen_day")
    | shared("is_current")
    | {
        "owner_type": "user or service_account; null when not told.",
        "owner_id": "The owner's id.",
        "owner": "The owner's last known name, or id, or (no owner).",
        "redacted_value": "The key as the provider shows it: hidden but for its ends.",
        "expires_at": "When it expires. [UTC timestamp]",
    }
    | _SPEND,
)

DIRECTORY = (PROJECTS, API_KEYS)
