"""A LiteLLM proxy as the provider of everything behind it: metered dollars, which no one invoices.

Belongs here: what a connection to a proxy means. Does not: the proxy's words, which the gateway
reads too (gateway/litellm).
"""
