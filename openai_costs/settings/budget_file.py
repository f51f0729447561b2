"""Budgets from a CSV file: one a row, refused with the line and what to do.

Not here: what a budget is (budgets.py).
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Budget
from openai_costs.settings.error_location import objection

SEPARATOR = ";"
"""Between the members of a cell."""
REQUIRED = ("name", "limit_usd")
LISTS = frozenset({"thresholds_pct", "ids"})


def with_budget_file(said: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a settings file says, with the budgets of the file it names among its own.

    Args:
        said: The settings file; `budgets_file` in it is a path, from the settings file's folder.
        folder: That folder.

    Raises:
        SettingsError: See `read_budgets`.
    """
    rest = {name: value for name, value in said.items() if name != "budgets_file"}
    if "budgets_file" not in said:
        return rest
    listed = read_budgets(folder / str(said["budgets_file"]))
    return {**rest, "budgets": [*rest.get("budgets", ()), *listed]}


def read_budgets(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a budget file, each already found to be a budget.

    Raises:
        SettingsError: The file cannot be read, or a row is no budget; names file and line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            heading = list(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as broken:
        raise SettingsError(f"budgets_file {file} cannot be read: {broken}. Correct it.") from None
    _refuse_heading(file, heading)
    lines: dict[str, int] = {}
    for line, row in rows:
        budget = _budget(f"{file}, line {line}", row)
        if (first := lines.setdefault(budget["name"], line)) != line:
            raise SettingsError(
                f"{file}, line {line}: name {budget['name']} is that of line {first}. Rename one."
            )
        yield budget


def _refuse_heading(file: Path, heading: Sequence[str]) -> None:
    """Refuse a first line that is none: another separator makes one name of all."""
    twice = [name for name in heading if heading.count(name) > 1]
    lacks = [name for name in REQUIRED if name not in heading]
    if twice or lacks:
        said = f"names {twice[0]} twice" if twice else f"has no {lacks[0]}"
        raise SettingsError(
            f"{file}, line 1: the heading {said}. It names the columns of docs/alerts.md#budgets, "
            "separated by commas."
        )


def _budget(where: str, row: dict[str | None, Any]) -> dict[str, Any]:
    if None in row:
        raise SettingsError(f"{where}: has more cells than the heading has names. Remove them.")
    said: dict[str, Any] = {str(name): cell.strip() for name, cell in row.items() if cell}
    said = {name: cell for name, cell in said.items() if cell}
    for name in LISTS & said.keys():
        said[name] = [one.strip() for one in said[name].split(SEPARATOR)]
    try:
        Budget.model_validate(said)
    except ValidationError as broken:
        first = objection(broken)
        name = ".".join(map(str, first.where)) or "the row"
        raise SettingsError(
            f"{where}: {name}: {first.text}. docs/alerts.md#budgets has the columns."
        ) from None
    return said
