"""Anthropic's Admin API: what is asked, how it is paged, what a row of a report means.

Belongs here: the vendor's own words (workspace, actor, token_type, cents). Does not: any question
about spend.
"""
