"""Values as they stand in SQL, whatever signs they have. Pure.

For what takes no parameter: views, comments, ATTACH, COPY, and what delta-rs filters by.
"""


def literal(value: object) -> str:
    """Return a value as a text literal."""
    return "'" + str(value).replace("'", "''") + "'"
