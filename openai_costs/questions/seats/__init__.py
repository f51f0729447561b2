"""Who holds a seat: members, invites and service accounts beside the people the company knows.

Belongs here: whether a seat has a person, and what it costs. Does not: who spent what (spend).
"""
