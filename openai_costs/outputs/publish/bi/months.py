"""The view of months: each beside the same days of the month before.

Only days that were over when they were read are compared, as on the page (report/comparison.py).
"""

from typing import Final

from openai_costs.outputs.publish.bi.view import View, shared

_DAYS: Final = """
    SELECT connection, day, CAST(date_trunc('month', day) AS DATE) AS month, state, billed_usd,
           is_connected, state = 'settled' OR coalesce(is_over, false) AS is_over
    FROM mart.coverage WHERE source = 'costs'
"""
_MONTHS: Final = """
    SELECT connection, month, bool_or(is_connected) AS is_connected, sum(billed_usd) AS billed_usd,
           max(day) FILTER (state <> 'missing') AS through_day, last_day(month) AS month_end,
           count(*) FILTER (state = 'settled') AS settled_days,
           count(*) FILTER (state = 'provisional') AS provisional_days,
           count(*) FILTER (state = 'missing' AND day <= newest) AS missing_days
    FROM days JOIN (SELECT connection, max(day) FILTER (state <> 'missing') AS newest
                    FROM days GROUP BY ALL) USING (connection)
    GROUP BY ALL
"""
_SAME: Final = """
    SELECT d.connection, d.month, d.day, d.state, d.billed_usd, b.billed_usd AS before_usd,
           count(*) FILTER (d.is_over AND b.is_over)
               OVER (PARTITION BY d.connection, d.month ORDER BY d.day) = day(d.day) AS is_compared
    FROM days d LEFT JOIN days b ON b.connection = d.connection
     AND b.day = CAST(d.day - INTERVAL 1 MONTH AS DATE)
    WHERE day(d.day) <= day(CAST(d.month - INTERVAL 1 DAY AS DATE))
"""
"""The days of a month that the month before has too; compared are the first, without a gap."""
_COMPARED: Final = """
    SELECT connection, month, max(day) FILTER (is_compared) AS through_day,
           max(day) FILTER (state = 'settled') AS settled_day,
           sum(billed_usd) FILTER (is_compared) AS usd,
           sum(before_usd) FILTER (is_compared) AS before_usd
    FROM same GROUP BY ALL
"""

MONTHS: Final = View(
    name="months",
    about="What each month cost, beside the month before. One row per calendar month and "
    "connection. Compared are the same days that were over when they were read: a whole November "
    "with the first 30 days of October, and of December its first 30.",
    sql=f"""
        WITH days AS ({_DAYS}), m AS ({_MONTHS}), same AS ({_SAME}), compared AS ({_COMPARED})
        SELECT m.month, m.connection, CAST(m.billed_usd AS DOUBLE) AS billed_usd, m.through_day,
               coalesce(m.through_day < month_end, true) AS is_running,
               c.through_day AS comparable_through_day, CAST(c.usd AS DOUBLE) AS comparable_usd,
               CAST(c.before_usd AS DOUBLE) AS compared_usd,
               CAST(c.usd - c.before_usd AS DOUBLE) AS change_usd,
               CASE WHEN c.before_usd > 0 THEN CAST(c.usd - c.before_usd AS DOUBLE) * 100
                   / CAST(c.before_usd AS DOUBLE) END AS change_pct,
               settled_days, provisional_days, missing_days, is_connected
        FROM m LEFT JOIN compared c ON c.connection = m.connection AND c.month = m.month
         AND c.through_day >= coalesce(c.settled_day, c.through_day)
    """,  # noqa: S608 - our own words
    columns=shared("month", "connection")
    | {
        "billed_usd": "Dollars billed on the days of the month that were read, credits and taxes "
        "of the bill included; null if none was read. Rounded. [USD]",
        "through_day": "The newest day of the month that was read. [UTC day]",
        "is_running": "Whether days of the month are still to come or to be read.",
        "comparable_through_day": "Through which day the month is compared: the newest that was "
        "over when it was read, and no later one than the month before has. Null if nothing is "
        "compared: a day of either month before the newest settled one was not read, or no day of "
        "the month was over yet. [UTC day]",
        "comparable_usd": "What the month cost through comparable_through_day. Rounded. [USD]",
        "compared_usd": "What the same days of the month before cost; null without "
        "comparable_through_day. Rounded. [USD]",
        "change_usd": "comparable_usd - compared_usd; null without compared_usd. Rounded. [USD]",
        "change_pct": "change_usd as a percentage of compared_usd. [%]",
        "settled_days": "Days of the month that are settled. [days]",
        "provisional_days": "Days of the month that may still change. [days]",
        "missing_days": "Days before the newest one read that were never read. [days]",
    }
    | shared("is_connected"),
    answers="What does this month cost so far, against the same days of the last one?",
)
