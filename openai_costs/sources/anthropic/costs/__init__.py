"""What Anthropic bills: the cost report of its analytics API, and the older report behind it."""
