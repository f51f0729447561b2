"""What leaves a home for good because someone asked for it: a person, or a connection.

Belongs here: who is meant, the order of the steps, the proof. Does not: how bytes are rewritten
(storage/rewriting.py), how a later read is kept without names (storage/forgotten.py).
"""
