"""The view of incidents: what caused each unusual change of spend, in typed columns."""

from typing import Final

from openai_costs.outputs.publish.bi.view import View, or_none, shared
from openai_costs.questions.namesakes import WITH_NAMESAKES

_PARTS: Final = ("impact_usd", "volume_usd", "mix_usd", "price_usd", "unmeasured_usd")
_TEXTS: Final = ("dimension", "id", "name", *_PARTS)
_SHAPE: Final = ", ".join(f'"{name}": "VARCHAR"' for name in _TEXTS)
_OF_DAY: Final = "incident_id, connection, provider, series_kind, series_id"
_INCIDENTS: Final = f"""
    SELECT {_OF_DAY}, arg_max(series_name, day) AS series_name, arg_max(kind, day) AS kind,
           min(since_day) AS since_day, max(day) AS last_day, count(*) AS days,
           arg_max(direction, day) AS direction, arg_max(team, day) AS team,
           arg_max(owner, day) AS owner, sum(impact_usd) AS impact_usd
    FROM mart.spend_anomalies WHERE is_told GROUP BY ALL
"""  # noqa: S608 - our own words
_CAUSES: Final = f"""
    SELECT {_OF_DAY}, c.dimension, c.id AS cause_id, max(c.name) AS cause_name,
           {", ".join(f"sum(CAST(c.{one} AS DECIMAL(38, 18))) AS {one}" for one in _PARTS)}
    FROM (SELECT {_OF_DAY}, unnest(from_json(causes, '[{{{_SHAPE}}}]')) AS c
          FROM mart.spend_anomalies WHERE is_told)
    GROUP BY ALL
"""  # noqa: S608 - our own words
_MARK: Final = "LEFT JOIN namesakes {0} ON {0}.of_kind = {1} AND {0}.of_id = {2}"

INCIDENTS: Final = View(
    name="incidents",
    about="Unusual changes of spend, with their causes. One row per incident, series that reports "
    "it, dimension and cause; the causes of one dimension add up to the incident. Sum within one "
    "dimension only. Not here: incidents that recur every month.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT i.incident_id, i.since_day, i.last_day, i.days, i.connection, i.provider,
               i.series_kind, i.series_id,
               coalesce(i.series_name || coalesce(n.mark, ''), i.series_id) AS series,
               i.kind, i.direction, {or_none("i.team")} AS team, {or_none("i.owner")} AS owner,
               CAST(i.impact_usd AS DOUBLE) AS incident_usd, {or_none("c.dimension")} AS dimension,
               c.cause_id,
               {or_none("c.cause_name || coalesce(k.mark, '')", "nullif(c.cause_id, 'none')")}
                   AS cause,
               {", ".join(f"CAST(c.{one} AS DOUBLE) AS {one}" for one in _PARTS)}
        FROM ({_INCIDENTS}) i LEFT JOIN ({_CAUSES}) c USING ({_OF_DAY})
        {_MARK.format("n", "i.series_kind", "i.series_id")}
        {_MARK.format("k", "c.dimension", "c.cause_id")}
    """,  # noqa: S608 - our own words
    columns={
        "incident_id": "The incident.",
        "since_day": "Its first day. [UTC day]",
        "last_day": "Its newest unusual day. [UTC day]",
        "days": "How many of its days were unusual. [days]",
        "connection": "The connection in openai_costs.toml; * for all connections of a provider.",
    }
    | shared("provider")
    | {
        "series_kind": "What the series is of: organization, provider, project, user, api_key, "
        "model or usage_type.",
        "series_id": "The id of the series' subject; for an organization, its connection.",
        "series": "The subject's last known name, or the id where no name is known.",
        "kind": "What kind of anomaly, such as spike or drop.",
        "direction": "up or down.",
        "team": "The team of more than half of its newest day's dollars, or (none).",
        "owner": "Who spent more than half of its newest day's dollars: a name, an id or (none).",
        "incident_usd": "What all of the incident's days cost above or below the expected spend; "
        "the same in each of its rows. Rounded. [USD]",
        "dimension": "What the cause is: user, api_key, model, line_item, ...; (none) if no cause "
        "is known.",
        "cause_id": "Its id; none for spend without one, other for all that is not named.",
        "cause": "Its last known name, or the id where no name is known, or (none).",
        "impact_usd": "What the cause adds to incident_usd. Rounded. [USD]",
        "volume_usd": "The part of impact_usd from using more or less. [USD]",
        "mix_usd": "The part from using other models and kinds of tokens. [USD]",
        "price_usd": "The part from other prices. [USD]",
        "unmeasured_usd": "The part whose quantity is not known. [USD]",
    },
    answers="What happened, what did it cost, and what caused it?",
)
