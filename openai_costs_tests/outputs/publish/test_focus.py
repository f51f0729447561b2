"""The bill as FOCUS 1.2: the view, the month files, the export, and the official validator."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner
from upath import UPath

from openai_costs.cli.commands import app
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.publish import focus_lines
from openai_costs.outputs.publish.focus_export import export_month
from openai_costs.outputs.publish.focus_files import FILE
from openai_costs.outputs.publish.focus_lines import DayOfLines
from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model, by_user
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.questions.spend.names import Directory
from openai_costs.settings import Team
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import FOCUS
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.outputs.publish.test_database import ask, publish_now, row

OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 1)
READ_AT: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
BILL: Final[tuple[dict[str, Any], ...]] = (
    {"usd": "1.000000000000000001", "quantity": 7, "quantity_unit": "tokens", "list": "1.5"},
    {"usd": "-0.25", "line_item": "refund"},
    {"usd": "3", "line_item": "VAT", "charge_category": "tax"},
    {"usd": "20", "line_item": "bundle", "charge_category": "purchase"},
    {"usd": "0", "line_item": "free, but not without its price", "list": "4"},
    {"usd": "0", "line_item": "nothing at all"},
    {"usd": "99", "line_item": "of a proxy", "cost_basis": "metered"},
)
CONTROL: Final = Decimal("23.750000000000000001")


def line(when: date, usd: str, **more: Any) -> pl.DataFrame:  # noqa: ANN401
    known = {"list_usd": Decimal(more.pop("list")) if "list" in more else None, **more}
    types = Ledger.types()
    return row(Ledger, when, usd).with_columns(
        **{name: pl.lit(value, types[name]) for name, value in known.items()}
    )


def write(home: UPath, when: date, bill: tuple[dict[str, Any], ...], total: Decimal) -> None:
    """A day of bills: the ledger has every line, the other tables what is billed in all."""
    metered = [Decimal(one["usd"]) for one in bill if one.get("cost_basis") == "metered"]
    for table in TOGETHER:
        frame = row(table, when, str(total))
        if table is Ledger:
            frame = pl.concat([line(when, **one) for one in bill])
        if table is SpendControl and metered:
            frame = frame.with_columns(metered_usd=pl.lit(sum(metered), frame["billed_usd"].dtype))
        done = Lake(home).replace(table, [Batch(frame, {Slice("acme", when): READ_AT})])
        assert not done.refused


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> UPath:
    made = UPath(tmp_path_factory.mktemp("focus"))
    write(made, OCTOBER, ({"usd": "5", "api_key_id": "key_1"},), Decimal(5))
    write(made, NOVEMBER, BILL, CONTROL)
    name = {"name": "Atlas of ann@acme.example", "id": "p", "connection": "acme"}
    seen = {"status": "active", "first_seen_day": OCTOBER, "last_seen_day": OCTOBER}
    more = {"provider": "openai", "is_current": True}
    project = dict.fromkeys(Projects.types()) | name | seen | more
    Lake(made).replace_whole(Projects, pl.DataFrame([project], schema=Projects.types()))
    publish_now(made)
    return made


def test_billed_cost_adds_up_to_the_control_totals_of_each_month(home: UPath) -> None:
    months = "SELECT BillingPeriodStart[:7], sum(BilledCost) FROM bi.focus GROUP BY 1 ORDER BY 1"
    assert ask(home, months) == [("2026-10", Decimal(5)), ("2026-11", CONTROL)]


def test_each_kind_of_charge_has_the_columns_that_focus_asks_of_it(home: UPath) -> None:
    found = ask(
        home,
        "SELECT ChargeDescription, ChargeCategory, EffectiveCost, ListCost, PricingQuantity, "
        "ConsumedUnit, ChargeFrequency FROM bi.focus WHERE BillingPeriodStart[:7] = '2026-11'",
    )
    one = Decimal(1)
    assert set(found) == {
        ("gpt-5", "Usage", Decimal(BILL[0]["usd"]), Decimal("1.5"), 7, "Tokens", "Usage-Based"),
        ("refund", "Credit", Decimal("-0.25"), Decimal("-0.25"), one, None, "Usage-Based"),
        ("VAT", "Tax", Decimal(3), Decimal(3), None, None, "Usage-Based"),
        ("bundle", "Purchase", Decimal(0), Decimal(20), one, None, "One-Time"),
        (BILL[4]["line_item"], "Usage", Decimal(0), Decimal(4), one, None, "Usage-Based"),
    }


def test_an_address_in_a_name_is_in_no_row(home: UPath) -> None:
    assert ask(home, "SELECT DISTINCT SubAccountName FROM bi.focus") == [("Atlas of ann",)]


def test_the_files_have_the_rows_of_the_view(home: UPath) -> None:
    with duckdb.connect() as sql:
        filed = sql.read_parquet(str(home / FOCUS / "*" / FILE), hive_partitioning=False)
        assert sorted(map(repr, filed.fetchall())) == sorted(map(repr, ask(home, "FROM bi.focus")))


TEAMS: Final = (
    Team(name="routing", users=("ann",)),
    Team(name="search", users=("bob",)),
    Team(name="labs", projects=("p",)),
)
BY_USER: Final = "project_id,user_id,line_item"


def attributed(home: UPath, when: date, ledger: pl.DataFrame, view: pl.DataFrame) -> None:
    """A day of the lake whose marts are made of its ledger and its view by user."""
    names = Directory(*(one.no_rows() for one in (ApiKeys, Users, ServiceAccounts, Projects)))
    whose = attribution(ledger, view, Usage.no_rows(), names, TEAMS)
    total = sum(ledger["billed_usd"], Decimal(0))
    made = {
        Ledger: ledger,
        UserView: view,
        SpendControl: row(SpendControl, when, str(total)),
        MartSpend: by_project_key_model(ledger, whose, names),
        SpendAttribution: whose,
        SpendByUser: by_user(whose),
    }
    assert made.keys() == set(TOGETHER)
    for table, frame in made.items():
        batch = Batch(frame, {Slice("acme", when): READ_AT})
        assert not Lake(home).replace(table, [batch]).refused


@pytest.fixture(scope="module")
def teams_home(tmp_path_factory: pytest.TempPathFactory) -> UPath:
    made = UPath(tmp_path_factory.mktemp("teams"))
    bill = (
        {"usd": "10", "user_id": "ann"},
        {"usd": "5", "user_id": "bob"},
        {"usd": "-1", "user_id": "bob", "line_item": "refund"},
        {"usd": "3", "user_id": "eve"},
        {"usd": "2"},
    )
    named = pl.concat([line(NOVEMBER, **one, grouping=BY_USER) for one in bill])
    attributed(made, NOVEMBER, named, row(UserView, NOVEMBER, "19"))
    next_day = NOVEMBER.replace(day=2)
    users = {"ann": "3", "bob": "4"}
    whose = [
        row(UserView, next_day, usd).with_columns(user_id=pl.lit(user), line_item=pl.lit("gpt-5"))
        for user, usd in users.items()
    ]
    attributed(made, next_day, line(next_day, "7", line_item="gpt-5"), pl.concat(whose))
    publish_now(made)
    return made


def test_a_line_that_names_its_user_has_the_users_team(teams_home: UPath) -> None:
    focus = ask(
        teams_home,
        "SELECT Tags::JSON ->> 'team' AS team, sum(BilledCost) FROM bi.focus "
        "WHERE ChargePeriodStart[:10] = '2026-11-01' GROUP BY ALL ORDER BY ALL",
    )
    ours = ask(
        teams_home,
        "SELECT team, sum(billed_usd) FROM mart.spend_attribution "
        "WHERE day = '2026-11-01' GROUP BY ALL ORDER BY ALL",
    )
    expected = [("labs", Decimal(5)), ("routing", Decimal(10)), ("search", Decimal(4))]
    assert focus == ours == expected


def test_a_line_whose_dollars_are_of_two_teams_has_none(teams_home: UPath) -> None:
    second = "SELECT Tags FROM bi.focus WHERE ChargePeriodStart[:10] = '2026-11-02'"
    assert ask(teams_home, second) == [('{"model":"gpt-5"}',)]


def files(home: UPath) -> dict[str, tuple[int, bytes]]:
    found = sorted(Path(str(home / FOCUS)).rglob(FILE))
    return {one.parent.name: (one.stat().st_ino, one.read_bytes()) for one in found}


def test_a_publication_writes_the_months_that_changed_and_no_other(tmp_path: Path) -> None:
    made = UPath(tmp_path)
    write(made, OCTOBER, ({"usd": "5"},), Decimal(5))
    write(made, NOVEMBER, BILL, CONTROL)
    publish_now(made)
    before = files(made)
    write(made, NOVEMBER, ({"usd": "7"},), Decimal(7))
    publish_now(made)
    after = files(made)
    assert list(after) == ["billing_period=2026-10", "billing_period=2026-11"]
    assert after["billing_period=2026-10"] == before["billing_period=2026-10"]
    november = made / FOCUS / "billing_period=2026-11" / FILE
    with duckdb.connect() as sql:
        assert sql.read_parquet(str(november)).sum("BilledCost").fetchall() == [(7,)]
    november.unlink()
    publish_now(made)
    assert files(made).keys() == after.keys()


def test_a_large_month_has_the_same_rows_in_order_put_together_of_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = UPath(tmp_path)
    for day in (1, 2, 3):
        write(made, NOVEMBER.replace(day=day), BILL, CONTROL)
    publish_now(made)
    november = made / FOCUS / "billing_period=2026-11" / FILE
    at_once = pl.read_parquet(str(november))
    november.unlink()
    monkeypatch.setattr(focus_lines, "MOST_LINES", 2 * (len(BILL) - 1))
    publish_now(made)
    assert pl.read_parquet(str(november)).equals(at_once)
    assert [one.name for one in tmp_path.glob("**/lines.duckdb*")] == []


def test_lines_are_put_in_order_some_days_of_a_connection_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = [DayOfLines(name, NOVEMBER.replace(day=day), 3) for name in "ab" for day in (1, 2, 3)]
    assert list(focus_lines._parts(days)) == [  # noqa: SLF001 - what is put in order together
        "s.day BETWEEN DATE '2026-11-01' AND DATE '2026-11-03'"
    ]
    monkeypatch.setattr(focus_lines, "MOST_LINES", 6)
    assert list(focus_lines._parts(days)) == [  # noqa: SLF001 - as above
        f"s.connection = '{name}' AND s.day BETWEEN DATE '{first}' AND DATE '{last}'"
        for name in "ab"
        for first, last in (("2026-11-01", "2026-11-02"), ("2026-11-03", "2026-11-03"))
    ]


def test_a_month_without_dollars_leaves(tmp_path: Path) -> None:
    made = UPath(tmp_path)
    write(made, OCTOBER, ({"usd": "5"},), Decimal(5))
    write(made, NOVEMBER, ({"usd": "7"},), Decimal(7))
    publish_now(made)
    Lake(made).remove_slices(f"day > '{OCTOBER}'")
    publish_now(made)
    assert list(files(made)) == ["billing_period=2026-10"]


def test_an_export_has_every_digit_and_not_more_than_18_decimals(
    home: UPath, tmp_path: Path
) -> None:
    done = export_month(home, "2026-11", "csv", tmp_path / "new" / "folder")
    with done.file.open(newline="") as content:
        costs = [one["BilledCost"] for one in csv.DictReader(content)]
    assert sum(map(Decimal, costs)) == done.billed_usd == done.control_usd == CONTROL
    assert all(len(one.partition(".")[2]) <= 18 for one in costs)
    assert "(difference $0.00)" in str(done)
    assert [one.name for one in done.file.parent.iterdir()] == ["focus-2026-11.csv"]


def test_a_month_without_dollars_is_a_sentence_with_those_there_are(
    home: UPath, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"2026-10 to 2026-11\.$"):
        export_month(home, "2026-09", "parquet", tmp_path)
    with pytest.raises(SettingsError, match="Nothing is published"):
        export_month(UPath(tmp_path), "2026-09", "parquet", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_file_and_says_what_it_adds_up_to(
    home: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("openai_costs.cli.empty_home.refuse_empty", lambda *_: None)
    asked = ["export", "focus", "--month", "2026-10", "--home", str(home), "--out", "there"]
    ran = CliRunner().invoke(app, asked)
    assert (ran.exit_code, "focus-2026-10.parquet: 1 row" in ran.output) == (0, True), ran.output
    assert (tmp_path / "there" / "focus-2026-10.parquet").exists()


VALIDATOR: Final = "FOCUS_VALIDATOR"
"""Names a Python 3.12 that has focus-validator==2.2.1, which needs an environment of its own."""

CRITERIA: Final = (
    "ACCOUNT_NAMING_SUPPORTED,PUBLIC_PRICE_LIST_SUPPORTED,USAGE_MEASUREMENT_SUPPORTED,"
    "UNIT_PRICING_SUPPORTED,SUB_ACCOUNT_SUPPORTED,RESOURCE_TYPE_ASSIGNMENT_SUPPORTED,"
    "TAGGING_SUPPORTED,BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED"
)


@pytest.mark.skipif(VALIDATOR not in os.environ, reason=f"{VALIDATOR} names no environment")
@pytest.mark.parametrize("optional", [[], ["--applicability-criteria", CRITERIA]])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_official_validator_objects_to_nothing_but_the_invoice_id(
    home: UPath, tmp_path: Path, kind: str, optional: list[str]
) -> None:
    """Its two rules about InvoiceId exclude each other, so one of them always fails."""
    done = export_month(home, "2026-11", kind, tmp_path)
    python = Path(os.environ[VALIDATOR])
    where = (
        "import focus_validator, pathlib; print(pathlib.Path(focus_validator.__file__).parents[1])"
    )
    packages = subprocess.run(  # noqa: S603 - named by who runs the tests
        [python, "-c", where], capture_output=True, text=True, check=True
    )
    ran = subprocess.run(  # noqa: S603 - as above
        [
            *(python.parent / "focus-validator", "--data-file", str(done.file), *optional),
            *("--validate-version", "1.2.0.1", "--block-download"),
        ],
        cwd=packages.stdout.strip(),  # it opens its currency codes by a relative path
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.findall(r"^- (\S+): violations", ran.stdout, re.MULTILINE) == ["InvoiceId-C-005-C"]
    assert re.search(r"Pass: \d+ \| Fail: 1 ", ran.stdout)
