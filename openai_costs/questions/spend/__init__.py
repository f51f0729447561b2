"""What was spent: by project, key, model, usage type and user; which days can be believed.

Belongs here: cuts of the ledger that add up to the control total. Does not: why spend moved
(anomalies), what it may be (budgets), whether the bill is right (reconciliation).
"""
