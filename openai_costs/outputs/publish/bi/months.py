"""The view of months: each beside the same days of the month before."""

from typing import Final

from openai_costs.outputs.publish.bi.view import View, shared

_DAYS: Final = """
    SELECT connection, day, CAST(date_trunc('month', day) AS DATE) AS month, state, billed_usd,
           is_connected
    FROM mart.coverage WHERE source = 'costs'
"""
_MONTHS: Final = """
    SELECT connection, month, bool_or(is_connected) AS is_connected, sum(billed_usd) AS billed_usd,
           max(day) FILTER (state <> 'missing') AS through_day, last_day(month) AS month_end,
           CAST(month - INTERVAL 1 MONTH AS DATE) AS month_before,
           count(*) FILTER (state <> 'missing') AS read_days,
           count(*) FILTER (state = 'settled') AS settled_days,
           count(*) FILTER (state = 'provisional') AS provisional_days,
           count(*) FILTER (state = 'missing' AND day <= newest) AS missing_days
    FROM days JOIN (SELECT connection, max(day) FILTER (state <> 'missing') AS newest
                    FROM days GROUP BY ALL) USING (connection)
    GROUP BY ALL
"""
_COMPARED: Final = """
    SELECT m.connection, m.month, count(d.billed_usd) AS days, sum(d.billed_usd) AS usd
    FROM m JOIN days d ON d.connection = m.connection AND d.month = m.month_before
     AND day(d.day) <= day(m.through_day)
    GROUP BY ALL
"""

MONTHS: Final = View(
    name="months",
    about="What each month cost, beside the month before. One row per calendar month and "
    "connection. Compared are the same days: a whole November with the first 30 days of October.",
    sql=f"""
        WITH days AS ({_DAYS}), m AS ({_MONTHS}), compared AS ({_COMPARED}),
        whole AS (
            SELECT m.*, CASE WHEN read_days = day(through_day)
                    AND c.days = least(day(last_day(month_before)), day(through_day))
                   THEN c.usd END AS compared_usd
            FROM m LEFT JOIN compared c USING (connection, month))
        SELECT month, connection, CAST(billed_usd AS DOUBLE) AS billed_usd, through_day,
               coalesce(through_day < month_end, true) AS is_running,
               CAST(compared_usd AS DOUBLE) AS compared_usd,
               CAST(billed_usd - compared_usd AS DOUBLE) AS change_usd,
               CASE WHEN compared_usd > 0 THEN CAST(billed_usd - compared_usd AS DOUBLE) * 100
                   / CAST(compared_usd AS DOUBLE) END AS change_pct,
               settled_days, provisional_days, missing_days, is_connected
        FROM whole
    """,  # noqa: S608 - our own words
    columns=shared("month", "connection")
    | {
        "billed_usd": "Dollars billed on the days of the month that were read, credits and taxes "
        "of the bill included; null if none was read. Rounded. [USD]",
        "through_day": "The newest day of the month that was read. [UTC day]",
        "is_running": "Whether days of the month are still to come or to be read.",
        "compared_usd": "What the same days of the month before cost; null if one of them, or a "
        "day through through_day, was not read. Rounded. [USD]",
        "change_usd": "billed_usd - compared_usd; null without compared_usd. Rounded. [USD]",
        "change_pct": "change_usd as a percentage of compared_usd. [%]",
        "settled_days": "Days of the month that are settled. [days]",
        "provisional_days": "Days of the month that may still change. [days]",
        "missing_days": "Days before the newest one read that were never read. [days]",
    }
    | shared("is_connected"),
    answers="What does this month cost so far, against the same days of the last one?",
)
