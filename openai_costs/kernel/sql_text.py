"""Values, names and files as they stand in SQL, whatever signs they have. Pure.

For what takes no parameter: views, comments, ATTACH, COPY, and what delta-rs filters by.
"""

from collections.abc import Iterable


def literal(value: object) -> str:
    """Return a value as a text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name of a table or a column."""
    return '"' + name.replace('"', '""') + '"'


def read_parquet(files: Iterable[object], options: str = "hive_partitioning = false") -> str:
    """Return the rows of Parquet files of this machine, which DuckDB takes for patterns."""
    return f"read_parquet([{', '.join(literal(_pattern(str(file))) for file in files)}], {options})"


def _pattern(path: str) -> str:
    """Return the pattern of one path."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in path)
