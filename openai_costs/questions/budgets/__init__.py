"""How much may be spent, how much was, and how much it will be by the end of the period.

Belongs here: limits, their state, and the forecast to a period's end. Does not: why spend moved
(anomalies), what was spent (spend), and messages (alerts).
"""
