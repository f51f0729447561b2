"""A gateway's exports: LiteLLM's callback lines, or any gateway's files with declared columns.

Belongs here: which column means what, and complaints that name file, line and remedy. Does not: an
API (litellm), how a token's OpenAI key is known (gateway).
"""
