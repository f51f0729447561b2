"""What leaves: alerts, the cost explorer page, the published database. Knows no vendor."""
