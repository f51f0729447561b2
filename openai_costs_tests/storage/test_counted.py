"""Sums of dollars are of billed rows: every reader of the lake sees these alone."""

import ast
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

import openai_costs
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import COST_BASES, Spend
from openai_costs.tables.mart.restatements import Restatements

PACKAGE = Path(openai_costs.__file__).parent
DAY = date(2026, 11, 1)
KEY = Slice("acme", DAY)
READ_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)

WHO_WANTS_ALL = {
    "questions/people/assets.py": "shows them beside the bill of a person, in columns of their own",
    "outputs/publish/tie_outs.py": "holds each basis to its own control total",
    "outputs/forgetting/directory.py": "finds a person wherever a row names one",
    "outputs/forgetting/connection.py": "deletes all rows of a connection",
    "storage/purging.py": "deletes all rows of old days",
}
WHO_READS_THE_PUBLISHED_LEDGER = {
    "outputs/publish/bi/focus.py": "bi.focus: what is billed, by the same condition",
    "outputs/publish/bi/spend.py": "bi.unbilled_spend: what is not billed, and nothing else",
}


def line(basis: str, usd: str) -> dict[str, object]:
    known = {"connection": "acme", "provider": "acme_ai", "host": "acme_ai", "day": DAY}
    sort = {"cost_basis": basis, "charge_category": "usage", "grouping": "line_item"}
    return dict.fromkeys(Spend.types()) | known | sort | {"billed_usd": Decimal(usd)}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(UPath(tmp_path))
    rows = [line("billed", "1.5"), line("metered", "20"), line("estimated", "300")]
    done = made.replace(Spend, [Batch(pl.DataFrame(rows, schema=Spend.types()), {KEY: READ_AT})])
    assert done.totals_usd == {KEY: Decimal("1.5")}
    assert done.rows == {KEY: 3}
    return made


def test_a_table_a_day_and_a_question_are_of_billed_rows(lake: Lake) -> None:
    sums = pl.Schema({"usd": Spend.types()["billed_usd"]})
    (batch,) = lake.batches(Spend, [DAY])
    found = [
        lake.read(Spend)["billed_usd"].sum(),
        lake.read(Spend, [DAY])["billed_usd"].sum(),
        lake.query(Spend, [DAY], lambda rows: [rows.select("billed_usd").sum()])[0].item(),
        batch.frame["billed_usd"].sum(),
        lake.daily_usd(Spend)["billed_usd"].sum(),
        lake.ask(Spend, "SELECT sum(billed_usd) FROM stored", sums).item(),
    ]
    assert found == [Decimal("1.5")] * 6


def test_who_asks_for_all_rows_gets_them_and_others_still_do_not(lake: Lake) -> None:
    everything = lake.uncounted()
    assert sorted(everything.read(Spend)["cost_basis"]) == sorted(COST_BASES)
    assert next(everything.batches(Spend, [DAY])).frame.height == 3
    assert lake.read(Spend)["cost_basis"].to_list() == ["billed"]


def test_rows_that_were_left_out_of_a_batch_cannot_be_lost_by_writing_it_back(lake: Lake) -> None:
    with pytest.raises(ValueError, match=r"core.spend from Lake.uncounted\(\)"):
        lake.replace(Spend, lake.batches(Spend, [DAY]))
    lake.replace(Spend, list(lake.uncounted().batches(Spend, [DAY])))
    assert lake.uncounted().read(Spend).height == 3


def test_every_table_with_a_cost_basis_of_the_bill_says_which_rows_count() -> None:
    with_basis = {one for one in all_contracts() if "cost_basis" in one.types()}
    assert {one for one in all_contracts() if one.counted()} == {Spend, Restatements}
    assert {one.full_name() for one in with_basis} == {
        "core.spend",
        "mart.restatements",
        "core.gateway_spend",  # a meter: none of its dollars are billed
    }


def calls(source: str, name: str) -> bool:
    return any(
        isinstance(one, ast.Attribute) and one.attr == name for one in ast.walk(ast.parse(source))
    )


def modules() -> dict[str, str]:
    files = PACKAGE.rglob("*.py")
    return {str(one.relative_to(PACKAGE)): one.read_text(encoding="utf-8") for one in files}


def test_only_those_with_a_reason_ask_for_rows_that_are_not_billed() -> None:
    assert {path for path, source in modules().items() if calls(source, "uncounted")} == set(
        WHO_WANTS_ALL
    )


def test_only_those_with_a_reason_read_the_published_ledger_in_sql() -> None:
    reads = {path for path, source in modules().items() if "FROM core.spend " in source}
    joins = {path for path, source in modules().items() if "JOIN core.spend " in source}
    found = {path for path in reads | joins if not path.startswith("tables/")}
    assert {*found, *WHO_READS_THE_PUBLISHED_LEDGER} == set(WHO_READS_THE_PUBLISHED_LEDGER)
