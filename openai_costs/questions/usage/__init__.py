"""What was used, and whether it explains what was billed.

Belongs here: usage as the bill counts it, and the checks of core.usage. Does not: reading the
usage endpoints (sources), whose dollars the usage makes them (spend), what they should have cost
(prices).
"""
