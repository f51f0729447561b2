"""The views of findings and anomalies: what needs attention, and the unusual days behind it."""

from openai_costs.outputs.publish.bi.view import View, or_none, shared
from openai_costs.questions.namesakes import WITH_NAMESAKES

_NUMBERS = ("observed", "expected", "threshold", "impact_usd")
_AS_DOUBLE = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _NUMBERS)

FINDINGS = View(
    name="findings",
    about="What needs attention, and why. One row per finding, open or closed.",
    sql=f"""
        SELECT finding_id, rule, severity, state, state IN ('open', 'growing') AS is_open,
               subject_kind, subject_id, coalesce(subject_name, subject_id) AS subject,
               connection, since_day, day, opened_day, closed_day, {_AS_DOUBLE}, unit, because,
               outlook, {or_none("owner")} AS owner, muted_until, mute_reason, muted_by,
               acknowledged_by, acknowledged_day, table_name, docs
        FROM mart.findings
    """,  # noqa: S608 - our own words
    columns={
        "finding_id": "The finding: a short, stable id that the command `mute` accepts.",
        "rule": "The rule that made the finding, as folder.rule.",
        "severity": "info, warning or critical.",
        "state": "open, growing, closed or muted.",
        "is_open": "Whether the finding is open or growing.",
        "subject_kind": "The kind of subject: api_key, project, budget, connection, ...",
        "subject_id": "The subject's id; includes the period where a rule works by period.",
        "subject": "The subject's last known name, or the id where no name is known.",
        "connection": "The connection in openai_costs.toml; * for all of them together.",
        "since_day": "The first day of the incident. [UTC day]",
        "day": "The newest day on which the rule's condition held. [UTC day]",
        "opened_day": "The day the finding was first made. [UTC day]",
        "closed_day": "The day the finding was found to be over; null while it is open. [UTC day]",
        "observed": "The observed value. [see unit]",
        "expected": "The expected value. [see unit]",
        "threshold": "The value at which the rule makes a finding. [see unit]",
        "impact_usd": "Dollars at stake, summed over the incident; rounded. [USD]",
        "unit": "The unit of observed, expected and threshold.",
        "because": "The reason, in a sentence with numbers.",
        "outlook": "The forecast for the end of the period, in a sentence.",
        "owner": "Who should act, or (none).",
        "muted_until": "The last day of the mute. [UTC day]",
        "mute_reason": "Why the finding is muted.",
        "muted_by": "Who muted the finding; a name.",
        "acknowledged_by": "Who takes care of the finding, since its newest change; a name.",
        "acknowledged_day": "The day the finding was acknowledged. [UTC day]",
        "table_name": "The table that holds the evidence, as layer.table.",
        "docs": "The section of the documentation about the rule.",
    },
    answers="What needs attention, who should act, and why?",
)

_USD = ("actual_usd", "expected_usd", "lower_usd", "upper_usd", "impact_usd", "score")
_ROUNDED = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _USD)

ANOMALIES = View(
    name="anomalies",
    about="Days with unusual spend, and why. One row per UTC day, connection and series; sum only "
    "rows where is_told is true.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT day, CAST(date_trunc('month', day) AS DATE) AS month, connection, provider,
               series_kind, series_id,
               coalesce(series_name || coalesce(n.mark, ''), series_id) AS series, kind,
               incident_id, is_told, since_day, {_ROUNDED}, direction, causes,
               {or_none("team")} AS team, {or_none("owner")} AS owner
        FROM mart.spend_anomalies
             LEFT JOIN namesakes n ON n.of_kind = series_kind AND n.of_id = series_id
    """,  # noqa: S608 - our own words
    columns=shared("day", "month", "provider", "team")
    | {
        "connection": "The connection in openai_costs.toml; * for all connections of a provider.",
        "series_kind": "What the series is of: organization, provider, project, user, api_key, "
        "model or usage_type.",
        "series_id": "The id of the series' subject; for an organization, its connection.",
        "series": "The subject's last known name, or the id where no name is known.",
        "kind": "What kind of anomaly, such as spike or drop.",
        "incident_id": "The incident; the same for every series and day of it.",
        "is_told": "Whether the incident is reported by this series. No series reports an "
        "incident that recurs every month.",
        "since_day": "The first day of the incident. [UTC day]",
        "actual_usd": "What the day cost; rounded. [USD]",
        "expected_usd": "Expected spend, from the series' own history; rounded. [USD]",
        "lower_usd": "Lower end of the normal range; rounded. [USD]",
        "upper_usd": "Upper end of the normal range; rounded. [USD]",
        "impact_usd": "actual_usd - expected_usd; rounded. [USD]",
        "score": "How unusual the day is, as a multiple of the series' usual variation. [scales]",
        "direction": "up or down.",
        "causes": "JSON list of who and what explains the difference, with exact dollars.",
        "owner": "Who spent most of the day's dollars through the series: a name, an id or (none).",
    },
    answers="Which days were unusual, in which series?",
)

FINDINGS_AND_ANOMALIES = (FINDINGS, ANOMALIES)
