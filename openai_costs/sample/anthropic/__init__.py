"""The sample company at Anthropic: what it spends there, and Anthropic's wire that reports it."""
