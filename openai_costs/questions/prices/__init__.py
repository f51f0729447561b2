"""What a thing should cost: dated list prices, and the bill beside them.

Belongs here: the price catalogue and what was billed against list price. Does not: what an
organization negotiated (settings), whether a gateway metered the same (reconciliation), what could
be saved (optimization).
"""
