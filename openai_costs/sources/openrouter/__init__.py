"""OpenRouter's activity: what is asked, and what a row of it means.

Belongs here: the vendor's own words (permaslug, bring your own key). Does not: any question about
spend.
"""
