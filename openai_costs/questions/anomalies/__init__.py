"""What changed that should not: by organisation, project, user, key, model, and why.

Belongs here: judging a day's spend by the days before it, whom a change comes from, and making one
incident of what is seen at several levels. Does not: what may be spent (budgets), whether the
ledger can be believed (spend), and telling anybody (alerts).
"""
