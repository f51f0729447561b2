"""What may be spent, what was, and what it will be by the end of the period.

Belongs here: limits, their state, and the forecast to a period's end. Does not: why spend moved
(anomalies), what was spent (spend), and telling anybody (alerts).
"""
