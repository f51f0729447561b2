from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Budget
from openai_costs.settings.budget_file import with_budget_file

HEAD = "name,scope,id,limit_usd,thresholds_pct,owner\n"
SEVERAL = "name,scope,ids,limit_usd\ntwo teams,team,labs; desk,900.05\n"


def listed(folder: Path, rows: str) -> list[Budget]:
    (folder / "budgets.csv").write_text(HEAD + rows, encoding="utf-8")
    content = with_budget_file({"budgets_file": "budgets.csv"}, folder / "openai_costs.toml")
    return [Budget.model_validate(row) for row in content["budgets"]]


def test_a_row_is_a_budget_and_an_empty_cell_its_default(tmp_path: Path) -> None:
    first, second = listed(tmp_path, "all,,,9000.10,50;90,finops\nlabs,team,labs,600,,\n")
    assert (first.limit_usd, first.thresholds_pct) == (Decimal("9000.10"), (50, 90))
    assert (first.scope, first.owner) == ("all", "finops")
    assert (second.id, second.thresholds_pct) == ("labs", (50, 80))


def test_a_cell_may_hold_several_ids_that_share_a_limit(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(SEVERAL, encoding="utf-8")
    (row,) = with_budget_file({"budgets_file": "b.csv"}, tmp_path / "openai_costs.toml")["budgets"]
    one = Budget.model_validate(row)
    assert (one.counted, one.limit_usd) == (("labs", "desk"), Decimal("900.05"))


def test_lines_and_columns_that_a_spreadsheet_leaves_empty_are_none(tmp_path: Path) -> None:
    text = " Name , Limit_USD ,,\nall,5,,\n,,,\n , ,,,\nlabs,6,,\n"
    (tmp_path / "b.csv").write_text(text, encoding="utf-8")
    rows = with_budget_file({"budgets_file": "b.csv"}, tmp_path / "openai_costs.toml")["budgets"]
    assert [(row["name"], row["limit_usd"]) for row in rows] == [("all", "5"), ("labs", "6")]


def test_the_file_comes_after_the_budgets_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(HEAD + "two,,,2,,\n", encoding="utf-8")
    content = {"budgets": [{"name": "one", "limit_usd": 1}], "budgets_file": "b.csv", "reading": {}}
    found = with_budget_file(content, tmp_path / "openai_costs.toml")
    assert [row["name"] for row in found["budgets"]] == ["one", "two"]
    assert "budgets_file" not in found
    assert with_budget_file({"reading": {}}, tmp_path / "openai_costs.toml") == {"reading": {}}


@pytest.mark.parametrize(
    ("rows", "objection"),
    [
        (
            "all,,,9000,,\nlabs,team,,600,,\n",
            r"line 3: the budget 'labs' needs an id, be",
        ),
        ("all,,,nine,,\n", r"line 2: limit_usd must be a decimal number"),
        ("all,,,9,,\nall,tribe,x,9,,\n", r"line 3: scope must be 'all', "),
        (
            "all,,,9,,,more\n",
            r"line 2: has more cells than the header has columns. Remove",
        ),
        (",,,9,,\n", r"line 2: name is required: add it"),
        ("all,,,9,50;none,\n", r"line 2: thresholds_pct must be a decimal"),
        ("all,,,9,,\n\n\nlabs,team,labs,nine,,\n", r"line 5: limit_usd must"),
    ],
)
def test_a_row_that_is_no_budget_is_refused_with_its_line(
    tmp_path: Path, rows: str, objection: str
) -> None:
    with pytest.raises(SettingsError, match=objection):
        listed(tmp_path, rows)


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("", "line 1: the header has no name"),
        ("name;limit_usd\nall;9\n", "line 1: the header has no name.*separated by commas"),
        ("name,limit_usd,name\nall,9,b\n", "line 1: the header names name twice"),
        ("name,limit_usd\nall,9\n\nall,8\n", "line 4: the name all is on line 2 too. Rename one"),
        ('name,limit_usd\nall,"1,000"\n', r"line 2: limit_usd must .*: 1000\.50"),
        ("name,limit_usd\nall,1e30\n", "line 2: limit_usd must be at most"),
        ("name,limit_usd\nall,1e-19\n", "line 2: limit_usd must have at most 6 decimal places"),
    ],
)
def test_a_file_that_is_no_list_of_budgets_is_refused_with_the_line_and_what_to_do(
    tmp_path: Path, text: str, objection: str
) -> None:
    (tmp_path / "b.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=objection):
        with_budget_file({"budgets_file": "b.csv"}, tmp_path / "openai_costs.toml")


@pytest.mark.parametrize("name", ["gone.csv", ".", 7])
def test_a_name_of_no_file_is_refused_with_the_line_that_has_it(
    tmp_path: Path, name: object
) -> None:
    text = f"\nbudgets_file = {name!r}\n"
    settings = tmp_path / "openai_costs.toml"
    with pytest.raises(SettingsError) as refused:
        with_budget_file({"budgets_file": name}, settings, text)
    assert str(refused.value).startswith(
        f"{settings}, line 2: budgets_file names {tmp_path / str(name)}, which is not a file."
    )


def test_a_file_that_is_not_text_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"b\.csv cannot be read: .*Save it as UTF-8 text"):
        with_budget_file({"budgets_file": "b.csv"}, tmp_path / "openai_costs.toml")
