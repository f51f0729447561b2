"""The LiteLLM proxy: its registry of virtual keys and its meter, as they really answer.

Belongs here: LiteLLM's own words (virtual key, spend log). Does not: what a gap means
(reconciliation), other gateways' exports (gateway_files).
"""
