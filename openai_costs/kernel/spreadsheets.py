"""Text that a spreadsheet would take for a formula, and how a CSV file keeps it from that. Pure.

A label such as `=HYPERLINK(...)` runs where the file is opened. An apostrophe in front makes it
text. What is a number stays one, also a negative one. The cost explorer's own CSV does the same in
its script (script/csv.js).
"""

import re
from typing import Final

BEGINS_FORMULA: Final = "^[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
"""How a formula begins; the last four are the wide signs of Chinese and Japanese keyboards."""

NUMBER: Final = "^[+-]?[$]?[0-9][0-9,]*([.][0-9]+)?( ?%)?$"
"""A number or an amount of money, as it is shown."""

_FORMULA, _NUMBER = re.compile(BEGINS_FORMULA), re.compile(NUMBER)


def cell_text(text: str) -> str:
    """Return a text as a cell of a CSV file has it."""
    return f"'{text}" if _FORMULA.search(text) and not _NUMBER.search(text) else text


def cell_sql(column: str) -> str:
    """Return the same for a column of text, as SQL of DuckDB.

    Args:
        column: Its name, quoted.
    """
    formula, number = f"'{BEGINS_FORMULA}'", f"'{NUMBER}'"
    return (
        f"CASE WHEN regexp_matches({column}, {formula}) AND NOT regexp_matches({column}, {number}) "
        f"THEN '''' || {column} ELSE {column} END"
    )
