"""What could be saved: measured over a trailing period, conservative, with the arithmetic.

Belongs here: one module per family of rules, each row with a saving that can be recomputed from
the tables (docs/optimization.md). Does not: what a thing costs (prices), whether spend is too
high (budgets), what changed (anomalies).
"""
