"""What changed that should not: by organization, project, user, key, model, and why.

Belongs here: judging a day's spend by the days before it, who a change comes from, and making one
incident of what several levels see. Does not: what may be spent (budgets), whether the ledger is
right (spend), and sending findings to anyone (alerts).

The route: evaluation.py reads (history.py), judges (judging.py: detector.py, then incidents.py),
explains (explanation.py) and makes the rows. A kind of anomaly is a file in kinds/.
"""
