"""The views of findings and anomalies: what deserves a look, and the unusual days behind it."""

from openai_costs.outputs.publish.bi.view import View, shared

_NUMBERS = ("observed", "expected", "threshold", "impact_usd")
_AS_DOUBLE = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _NUMBERS)

FINDINGS = View(
    name="findings",
    about="What deserves a look, and why. One row per finding, over or not.",
    sql=f"""
        SELECT finding_id, rule, severity, state, state IN ('open', 'growing') AS is_open,
               subject_kind, subject_id, coalesce(subject_name, subject_id) AS subject,
               connection, since_day, day, opened_day, closed_day, {_AS_DOUBLE}, unit, because,
               outlook, owner, muted_until, mute_reason, muted_by, table_name, docs
        FROM mart.findings
    """,  # noqa: S608 - our own words
    columns={
        "finding_id": "The finding: short and stable; the command mute takes it.",
        "rule": "The rule, as folder.rule.",
        "severity": "info, warning or critical.",
        "state": "open, growing, closed or muted.",
        "is_open": "Whether it is open or growing.",
        "subject_kind": "What the subject is: api_key, project, budget, connection, ...",
        "subject_id": "The subject's id; with the period where a rule has periods.",
        "subject": "The subject's last known name, or its id.",
        "connection": "The connection of openai_costs.toml; * for all of them together.",
        "since_day": "The first day of the incident. [UTC day]",
        "day": "The newest day on which the condition held. [UTC day]",
        "opened_day": "The day it was first seen. [UTC day]",
        "closed_day": "The day it was seen to be over; null while it is not. [UTC day]",
        "observed": "What was seen. [see unit]",
        "expected": "What was expected. [see unit]",
        "threshold": "What it was judged by. [see unit]",
        "impact_usd": "Dollars at stake, summed over the incident; rounded. [USD]",
        "unit": "The unit of observed, expected and threshold.",
        "because": "Why, in words with numbers.",
        "outlook": "What happens by the end of the period, in words.",
        "owner": "Who should act.",
        "muted_until": "The last day of the mute. [UTC day]",
        "mute_reason": "Why it is muted, in words.",
        "muted_by": "Who says so; a name.",
        "table_name": "The table that holds the evidence, as layer.table.",
        "docs": "The section of the documentation about the rule.",
    },
)

_USD = ("actual_usd", "expected_usd", "lower_usd", "upper_usd", "impact_usd", "score")
_ROUNDED = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _USD)

ANOMALIES = View(
    name="anomalies",
    about="Days of unusual spend, and why. One row per UTC day, connection and "
    "series; sum over is_told only.",
    sql=f"""
        SELECT day, CAST(date_trunc('month', day) AS DATE) AS month, connection, provider,
               series_kind, series_id, coalesce(series_name, series_id) AS series, kind,
               incident_id, is_told, since_day, {_ROUNDED}, direction, causes, team, owner
        FROM mart.spend_anomalies
    """,  # noqa: S608 - our own words
    columns=shared("day", "month", "provider", "team")
    | {
        "connection": "The connection of openai_costs.toml; * for all of a provider.",
        "series_kind": "What the series is of: organization, provider, project, user, api_key, "
        "model or usage_type.",
        "series_id": "Its id; of an organization the connection.",
        "series": "Its last known name, or its id.",
        "kind": "What kind of anomaly, such as spike or drop.",
        "incident_id": "The incident; the same for every series and day of it.",
        "is_told": "Whether this series reports the incident; none does if it is a monthly job.",
        "since_day": "The first day of the incident. [UTC day]",
        "actual_usd": "What the day cost; rounded. [USD]",
        "expected_usd": "Expected spend, from the series' own history; rounded. [USD]",
        "lower_usd": "The least that would be normal; rounded. [USD]",
        "upper_usd": "The most that a single day could cost and be normal; rounded. [USD]",
        "impact_usd": "actual_usd - expected_usd; rounded. [USD]",
        "score": "How unusual it is, in robust standard deviations. [sigmas]",
        "direction": "up or down.",
        "causes": "JSON list: who and what explains it, with exact dollars.",
        "owner": "Who spends by it: a name or an id.",
    },
)

FINDINGS_AND_ANOMALIES = (FINDINGS, ANOMALIES)
