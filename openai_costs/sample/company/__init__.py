"""The invented company: its people, keys, workloads, incidents and what they cost, by day."""
