"""What Dagster is given: assets built from table contracts, checks, jobs and schedules.

Not here: what an asset computes (sources/, questions/, outputs/).
"""
