"""The sample company's account at OpenRouter, and the wire that it answers by."""
