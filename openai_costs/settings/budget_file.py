"""Budgets from a CSV file, one per row; an error names the line and the remedy.

Not here: what a budget is (budgets.py).
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Budget
from openai_costs.settings.error_location import line_of
from openai_costs.settings.error_texts import objection

SEPARATOR = ";"
"""Between the members of a cell."""
REQUIRED = ("name", "limit_usd")
LISTS = frozenset({"thresholds_pct", "ids"})


def with_budget_file(content: dict[str, Any], path: Path, text: str = "") -> dict[str, Any]:
    """Return the content of a settings file, with the budgets of its `budgets_file` added.

    Args:
        content: Its content; `budgets_file` in it is a path relative to its folder.
        path: The settings file.
        text: Its text, for the lines of messages.

    Raises:
        SettingsError: It names no file, or see `read_budgets`.
    """
    rest = {name: value for name, value in content.items() if name != "budgets_file"}
    if "budgets_file" not in content:
        return rest
    file = path.parent / str(content["budgets_file"])
    if not file.is_file():
        line = line_of(text, ("budgets_file",))
        raise SettingsError(
            f"{path}{f', line {line}' if line else ''}: budgets_file names {file}, which is not a "
            "file. Correct the name, as it is from the folder of the settings file."
        )
    listed = read_budgets(file)
    return {**rest, "budgets": [*rest.get("budgets", ()), *listed]}


def read_budgets(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a budget file; each is valid.

    Raises:
        SettingsError: The file cannot be read, or a row is not a budget; names file and line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            heading = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = heading
            rows = [(reader.line_num, row) for row in reader if not _is_blank(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as broken:
        raise SettingsError(
            f"budgets_file {file} cannot be read: {broken}. Save it as UTF-8 text, with commas."
        ) from None
    _refuse_heading(file, heading)
    lines: dict[str, int] = {}
    for line, row in rows:
        budget = _budget(f"{file}, line {line}", row)
        if (first := lines.setdefault(budget["name"], line)) != line:
            raise SettingsError(
                f"{file}, line {line}: the name {budget['name']} is on line {first} too. "
                "Rename one."
            )
        yield budget


def _is_blank(row: dict[str | None, Any]) -> bool:
    """Return whether a line has no text, as spreadsheets leave one below the last row."""
    return not any(cell.strip() for cells in row.values() for cell in cells or ())


def _refuse_heading(file: Path, heading: Sequence[str]) -> None:
    """Refuse a first line without column names: another separator makes one name of all."""
    twice = [name for name in heading if name and heading.count(name) > 1]
    lacks = [name for name in REQUIRED if name not in heading]
    if twice or lacks:
        fault = f"names {twice[0]} twice" if twice else f"has no {lacks[0]}"
        raise SettingsError(
            f"{file}, line 1: the header {fault}. List the columns of docs/alerts.md#budgets, "
            "separated by commas."
        )


def _budget(where: str, row: dict[str | None, Any]) -> dict[str, Any]:
    if None in row:
        raise SettingsError(
            f"{where}: has more cells than the header has columns. Remove the extra cells."
        )
    content: dict[str, Any] = {str(name): cell.strip() for name, cell in row.items() if cell}
    content = {name: cell for name, cell in content.items() if cell}
    for name in LISTS & content.keys():
        content[name] = [one.strip() for one in content[name].split(SEPARATOR)]
    try:
        Budget.model_validate(content)
    except ValidationError as broken:
        first = objection(broken, Budget)
        name = str(first.where[0]) if first.where else "the budget"
        raise SettingsError(
            f"{where}: {name} {first.text}. docs/alerts.md#budgets lists the columns."
        ) from None
    return content
