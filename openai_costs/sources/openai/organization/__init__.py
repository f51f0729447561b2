"""Who there is: the lists of OpenAI's Administration API, kept as pages and folded into tables.

Belongs here: projects, API keys, people, service accounts, invites, admin keys and spend limits,
with when each was first and last seen. Not here: dollars (the folder above), who owns which dollar.
"""
