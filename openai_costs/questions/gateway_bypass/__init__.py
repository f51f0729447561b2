"""Which spend bypasses the gateway: keys that no token names, and keys it meters too little of.

Belongs here: dollars at risk by API key, and unused keys that could spend. Does not: why bill and
meter differ for a key that does use the gateway (reconciliation).
"""
