"""The views of spend: daily cost, by user, with its attribution, what is not billed, coverage."""

from openai_costs.outputs.publish import key_sums
from openai_costs.outputs.publish.bi.view import NONE, View, or_none, shared, with_is_connected
from openai_costs.outputs.publish.rounded import ROUNDED
from openai_costs.questions.namesakes import PEOPLE, WITH_NAMESAKES, join_namesakes, label
from openai_costs.tables.core.spend import COUNTED, ESTIMATED, METERED

_COVERED = """
    LEFT JOIN mart.coverage c
      ON c.connection = s.connection AND c.day = s.day AND c.source = 'costs'
"""
_WHEN_AND_WHERE = f"""
    {WITH_NAMESAKES}
    SELECT s.day, CAST(date_trunc('month', s.day) AS DATE) AS month, s.connection, s.provider
"""
_TEAM = f"{or_none('s.team')} AS team"
_WHAT = f"{or_none('s.model')} AS model, {or_none('s.usage_type')} AS usage_type"
_PROJECT = label("project", "s.project_name", "s.project_id", NONE)
_API_KEY = label("api_key", "s.api_key_name", "s.api_key_id", NONE)
_USER = label("user", "s.user_name", "s.user_id", NONE)
_OF_PROJECT = join_namesakes("project", "s.project_id")
_OF_API_KEY = join_namesakes("api_key", "s.api_key_id")
_OF_USER = join_namesakes("user", "s.user_id")
_KEY = f"s.project_id, {_PROJECT} AS project, s.api_key_id, {_API_KEY} AS api_key, {_TEAM}"
_OF_KEY = f"{_OF_PROJECT} {_OF_API_KEY}"
_USD_AND_STATE = (
    f"s.{ROUNDED} AS billed_usd, c.state, coalesce(c.is_connected, false) AS is_connected"
)
_WHEN_AND_WHOSE = shared("day", "month", "connection", "provider", "team")
_USD_OF_KEY = shared(
    "billed_usd", "state", "is_connected", "project_id", "project", "api_key_id", "api_key"
)
_METHODS = (
    "How the dollars were attributed to the user. direct: the provider names the user; key_owner: "
    "the user owns the API key; allocated: by the user's share of tokens; unattributed: no user is "
    "known."
)

COST_DAILY = View(
    name="cost_daily",
    about="Daily cost by project, key and model. One row per UTC day, connection, project, API "
    "key, team, model and usage type.",
    sql=f"""
        {_WHEN_AND_WHERE},
               {_KEY}, {_WHAT}, {_USD_AND_STATE}
        FROM mart.spend s {_COVERED} {_OF_KEY}
    """,
    columns=_WHEN_AND_WHOSE | shared("model", "usage_type") | _USD_OF_KEY,
    answers="What did we spend, by project, API key, team and model?",
)

COST_BY_KEY = View(
    name="cost_by_key",
    about="Daily cost by project, API key and team. All models together: bi.cost_daily for charts "
    "over years of many rows. One row per UTC day, connection, project, API key and team.",
    sql=f"""
        {_WHEN_AND_WHERE},
               {_KEY}, {_USD_AND_STATE}
        FROM {key_sums.NAME} s {_COVERED} {_OF_KEY}
    """,
    columns=_WHEN_AND_WHOSE | _USD_OF_KEY,
    answers="What did each API key cost, day by day over years?",
)

COST_BY_USER = View(
    name="cost_by_user",
    about="Daily cost by user and model. One row per UTC day, connection, user, team, model, "
    "usage type and attribution.",
    sql=f"""
        {_WHEN_AND_WHERE},
               s.user_id, {_USER} AS user_label,
               {_TEAM}, {_WHAT}, s.{ROUNDED} AS billed_usd,
               s.attribution, c.state, coalesce(c.is_connected, false) AS is_connected
        FROM mart.spend_by_user s {_COVERED} {_OF_USER}
    """,
    columns=shared("day", "month", "connection", "provider", "team", "model", "usage_type")
    | shared("billed_usd", "state", "is_connected", "user_id")
    | shared("user_label")
    | {"attribution": _METHODS},
    answers="What did each person spend, day by day?",
)

SPEND_BY_USER = View(
    name="spend_by_user",
    about="Every dollar with its user and attribution. One row per UTC day, connection, "
    " project, API key, user, model, usage type, attribution and pool.",
    sql=f"""
        {_WHEN_AND_WHERE},
               s.user_id, {_USER} AS user_label,
               {_TEAM}, s.project_id, {_PROJECT} AS project,
               s.api_key_id, {_WHAT},
               s.{ROUNDED} AS billed_usd, s.attribution, s.pool,
               CAST(s.share_pct AS DOUBLE) AS share_pct, c.state,
               coalesce(c.is_connected, false) AS is_connected
        FROM mart.spend_attribution s {_COVERED} {_OF_USER} {_OF_PROJECT}
    """,
    columns=shared("day", "month", "connection", "provider", "team", "model", "usage_type")
    | shared("billed_usd", "state", "is_connected", "user_id", "project_id", "project")
    | shared("api_key_id")
    | shared("user_label")
    | {
        "attribution": _METHODS,
        "pool": "For dollars allocated by tokens: whether the tokens are those of the project or "
        "of the whole organization. Null for all other dollars.",
        "share_pct": "For dollars allocated by tokens: the user's share of the pool's tokens; the "
        "row without a user has the share of tokens without one. [%]",
    },
    answers="Why does a dollar belong to this person, and in which project?",
)

_SAME_ID = "ON {0}.connection = s.connection AND {0}.id = s.{1}"
_UNBILLED_SPEND = View(
    name="unbilled_spend",
    about="Dollars that no invoice has. A proxy metered them, or a rate estimates them: never add "
    "them to billed dollars: another bill may have the same. One row per line of core.spend that "
    "is not billed.",
    sql=f"""
        {_WHEN_AND_WHERE}, s.host,
               s.project_id,
               {label("project", "p.name", "s.project_id", NONE)} AS project,
               s.api_key_id, {label("api_key", "k.name", "s.api_key_id", NONE)} AS api_key,
               s.user_id, {label("user", "m.name", "s.user_id", NONE)} AS user_label,
               s.product, {_WHAT}, s.cost_basis,
               CAST(CASE s.cost_basis WHEN '{METERED}' THEN s.billed_usd END AS DOUBLE)
                   AS metered_usd,
               CAST(CASE s.cost_basis WHEN '{ESTIMATED}' THEN s.billed_usd END AS DOUBLE)
                   AS estimated_usd,
               CAST(s.quantity AS DOUBLE) AS quantity, s.quantity_unit
        FROM core.spend s
        LEFT JOIN core.projects p {_SAME_ID.format("p", "project_id")}
        LEFT JOIN core.api_keys k {_SAME_ID.format("k", "api_key_id")}
        LEFT JOIN ({PEOPLE}) m {_SAME_ID.format("m", "user_id")}
        {_OF_PROJECT} {_OF_API_KEY} {_OF_USER}
        WHERE NOT ({COUNTED})
    """,
    columns=shared("day", "month", "connection", "provider", "model", "usage_type")
    | shared("user_id", "user_label", "project_id", "project", "api_key_id", "api_key")
    | {
        "host": "Who counted or estimated the dollars.",
        "product": "The provider's product; null where it names none.",
        "cost_basis": "metered or estimated.",
        "metered_usd": "Dollars that a meter counted; null if estimated. Rounded. [USD]",
        "estimated_usd": "Dollars from a quantity and a rate; null if metered. Rounded. [USD]",
        "quantity": "How much was used. [quantity_unit]",
        "quantity_unit": "tokens, credits, requests, ...",
    },
    answers="What did meters and estimates count that no invoice has?",
)
UNBILLED_SPEND = with_is_connected(_UNBILLED_SPEND)

COVERAGE = View(
    name="coverage",
    about="Which days are complete. One row per connection, source and UTC day.",
    sql="""
        SELECT connection, source, day, state, rows, CAST(billed_usd AS DOUBLE) AS billed_usd,
               read_at, is_over, is_connected
        FROM mart.coverage
    """,
    columns=shared("connection", "day", "state", "billed_usd", "is_connected")
    | {
        "source": "What was read: costs or usage.",
        "rows": "Number of rows of the day; null if the day is missing. [rows]",
        "read_at": "When the day was read from the provider. [UTC timestamp]",
        "is_over": "Whether the day was over when it was read, and whole; null if it is missing.",
    },
    answers="Can I believe the number: which days are complete?",
)

SPEND = (COST_DAILY, COST_BY_KEY, COST_BY_USER, SPEND_BY_USER, UNBILLED_SPEND, COVERAGE)
