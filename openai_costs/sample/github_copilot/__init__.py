"""The sample company's Copilot at GitHub, and the wire that it answers by."""
