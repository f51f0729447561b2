"""Does the bill agree with the gateway's meter, and if not, why: every gap in named parts.

Belongs here: billed beside metered, in both directions, and the share of the bill that was metered.
Does not: whether the list price was charged (prices), which keys have no gateway token
(gateway_bypass).
"""
