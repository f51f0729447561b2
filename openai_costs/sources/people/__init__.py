"""The company's own list of people: Backstage, CSV, SCIM, Google Workspace.

Belongs here: which field of which format is what, and complaints that name file, line and remedy.
Does not: who of them holds a seat (seats), the provider's own members (sources/openai/directory).
"""
