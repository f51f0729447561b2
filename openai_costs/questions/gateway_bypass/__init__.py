"""Who spends without the gateway: keys no token names, and keys it hardly sees.

Belongs here: dollars at risk by API key, and keys that could. Does not: why bill and meter differ
for a key that does go through the gateway (reconciliation).
"""
