"""The gateway whatever it is: its registry and its meter as tables, from any reader of one.

Belongs here: what all gateways share, above all how a token's OpenAI key is known. Does not: the
words of one gateway (litellm, gateway_files), what a gap means (reconciliation).
"""
