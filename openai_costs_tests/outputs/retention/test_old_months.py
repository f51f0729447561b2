from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openai_costs.orchestration.table_assets import asset_key
from openai_costs.outputs.retention.old_months import delete_old_months, retention_texts
from openai_costs.settings import Retention
from openai_costs.sources.kept_days import with_kept_days
from openai_costs.storage.archive import DayRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.deleted_months import DeletedMonths
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.people import People
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs_tests.org import house

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs.settings.load import Settings
    from openai_costs.settings.retention import Months
    from openai_costs_tests.org import House

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
SEPTEMBER, OCTOBER = date(2026, 9, 30), date(2026, 10, 1)
AT = datetime(2026, 11, 1, tzinfo=UTC)
NOT_BILLED = dict.fromkeys(("metered_usd", "estimated_usd"), pl.lit(0, pl.Decimal(38, 18)))


def stored(home: Path, *names: str, server_at: datetime | None = None) -> House:
    """A home with a day in September and one in October of each connection."""
    there = house(home, *names)
    for name in names:
        rows = pl.DataFrame(
            [(name, SEPTEMBER, Decimal("1.25")), (name, OCTOBER, Decimal("2.50"))],
            {"connection": pl.String(), "day": pl.Date(), "billed_usd": pl.Decimal(38, 18)},
            orient="row",
        ).with_columns(is_settled=True, is_over=True, read_at=AT.replace(tzinfo=None), **NOT_BILLED)
        rows = rows.select(list(SpendControl.types()))
        reads = {Slice(name, SEPTEMBER): AT, Slice(name, OCTOBER): AT}
        there.lake.replace(SpendControl, [Batch(rows, reads)])
        for when in (SEPTEMBER, OCTOBER):
            parts = {"ledger": ("/costs", list[tuple[str, str]](), list[str]())}
            read = DayRead("openai", name, "costs", when, AT, parts, {"ledger": b"{}"})
            there.archive.keep(replace(read, server_at=server_at))
    return there


def finding(name: str, connection: str, when: date, state: str) -> dict[str, object]:
    """A row of mart.findings, about a day of a connection."""
    is_closed = state == "closed"
    return dict.fromkeys(Findings.types()) | {
        "finding_id": name,
        "rule": "coverage.late",
        "severity": "warning",
        "subject_kind": "connection",
        "subject_id": connection,
        "connection": connection,
        "day": when,
        "since_day": when,
        "opened_day": when,
        "state": state,
        "closed_day": when if is_closed else None,
        "change": 1,
        "unit": "USD",
        "because": "why",
        "table_name": "mart.coverage",
        "docs": "docs/governance.md",
    }


def anomaly(connection: str, when: date) -> dict[str, object]:
    """A row of mart.spend_anomalies, about a day of a connection."""
    usd = [name for name in SpendAnomalies.types() if name.endswith("_usd")]
    return (
        dict.fromkeys(SpendAnomalies.types())
        | dict.fromkeys(usd, Decimal("1.25"))
        | {
            "day": when,
            "connection": connection,
            "provider": "openai",
            "series_kind": "provider",
            "series_id": "openai",
            "kind": "spike",
            "incident_id": "one",
            "is_told": True,
            "since_day": when,
            "score": Decimal(1),
            "direction": "up",
            "causes": "[]",
        }
    )


def keeping(there: House, months: Months | None, **own: Months) -> Settings:
    kept = [
        one.model_copy(update={"retention_months": own.get(one.name), "start": None})
        for one in there.settings.connections
    ]
    update = {"retention": Retention(months=months), "connections": tuple(kept)}
    return there.settings.model_copy(update=update)


def days(there: House, name: str) -> list[date]:
    return sorted(there.lake.days(SpendControl, name))


def delete(there: House, settings: Settings) -> list[str]:
    return delete_old_months(there.lake.root.parent, there.lake, settings, NOW)


def test_older_months_go_from_pages_and_tables_and_their_sum_is_recorded(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme")
    [text] = delete(there, keeping(there, 1))
    assert text == ("Deleted 1 month of acme, 2026-09, on 2026-11-28: the settings keep 1 month.")
    assert days(there, "acme") == [OCTOBER]
    kept_pages = there.archive.room("openai", "acme", "costs").iterdir()
    assert [one.name for one in kept_pages] == [str(OCTOBER)]
    [row] = there.lake.read(DeletedMonths).iter_rows(named=True)
    assert (row["month"], row["days"], row["billed_usd"]) == (date(2026, 9, 1), 1, Decimal("1.25"))
    assert row["finished_at"] is not None
    assert delete(there, keeping(there, 1)) == []


def test_a_clock_that_runs_ahead_deletes_nothing_that_a_provider_has_not_agreed_to(
    tmp_path: Path,
) -> None:
    there, ahead = stored(tmp_path / "home", "acme", server_at=NOW), NOW.replace(year=2028)
    settings = keeping(there, 1)
    delete_old_months(there.lake.root.parent, there.lake, settings, ahead)
    assert days(there, "acme") == [OCTOBER]
    [text] = [one for one in retention_texts(settings, ahead, ahead) if one.startswith("Not ")]
    assert text == (
        "Not deleted: 1 day of acme. By this machine's clock it is 2028-11-28, and the newest "
        "answer of a provider is of 2026-11-28. They are deleted after the next answer that "
        "agrees. Set the clock if it is wrong."
    )


def test_no_file_of_a_deleted_month_is_left_in_the_lake(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme")
    delete(there, keeping(there, 1))
    files = [path for path in there.lake.root.rglob("*") if path.is_file()]
    assert [path for path in files if "2026-09" in str(path)] == []
    assert not any(b"2026-09-30" in path.read_bytes() for path in files)


def test_what_adds_up_deleted_days_leaves_the_lake_with_them(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme")
    person = {"person_id": "dan", "kind": "person", "status": "active", "accounts": "acme/dan"}
    row = person | {"name": "Dan", "billed_usd": Decimal("1.25"), "by_provider": "{}"}
    people = pl.DataFrame([dict.fromkeys(People.types()) | row], schema=People.types())
    there.lake.replace_whole(People, people)
    before = set(there.lake.root.rglob("people/*.parquet"))
    assert before
    delete(there, keeping(there, 1))
    assert there.lake.read(People).is_empty()
    assert before.isdisjoint(there.lake.root.rglob("people/*.parquet"))


@pytest.mark.parametrize(("of_beta", "left"), [("forever", [SEPTEMBER, OCTOBER]), (1, [OCTOBER])])
def test_rows_about_all_connections_go_with_the_days_of_the_last_of_them(
    tmp_path: Path, of_beta: Months, left: list[date]
) -> None:
    there = stored(tmp_path / "home", "acme", "beta")
    rows = [anomaly(EVERY_CONNECTION, when) for when in (SEPTEMBER, OCTOBER)]
    there.lake.replace_whole(SpendAnomalies, pl.DataFrame(rows, schema=SpendAnomalies.types()))
    delete(there, keeping(there, 1, beta=of_beta))
    assert there.lake.read(SpendAnomalies)["day"].to_list() == left


def test_without_keep_totals_no_sum_is_recorded(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme")
    without = Retention(months=1, keep_totals=False)
    delete(there, there.settings.model_copy(update={"retention": without}))
    assert there.lake.read(DeletedMonths)["billed_usd"].to_list() == [None]


def test_a_connection_may_be_kept_longer_than_the_others(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme", "beta")
    delete(there, keeping(there, 1, beta="forever"))
    assert (days(there, "acme"), days(there, "beta")) == ([OCTOBER], [SEPTEMBER, OCTOBER])


@pytest.mark.parametrize(
    ("of_beta", "left"),
    [("forever", {"of beta", "of all", "open", "newer"}), (1, {"open", "newer"})],
)
def test_findings_that_ended_go_with_the_days_of_their_connection(
    tmp_path: Path, of_beta: Months, left: set[str]
) -> None:
    there = stored(tmp_path / "home", "acme", "beta")
    ended = {"of acme": "acme", "of beta": "beta", "of all": EVERY_CONNECTION}
    found = [
        *(finding(name, of, SEPTEMBER, "closed") for name, of in ended.items()),
        finding("open", "acme", SEPTEMBER, "open"),
        finding("newer", "acme", OCTOBER, "closed"),
    ]
    there.lake.replace_whole(Findings, pl.DataFrame(found, schema=Findings.types()))
    delete(there, keeping(there, 1, beta=of_beta))
    assert set(there.lake.read(Findings)["finding_id"]) == left


def test_where_the_settings_do_not_say_they_are_asked_for_and_nothing_is_deleted(
    tmp_path: Path,
) -> None:
    there = stored(tmp_path / "home", "acme")
    later = datetime(2027, 10, 2, tzinfo=UTC)
    undecided = keeping(there, None)
    assert delete_old_months(there.lake.root.parent, there.lake, undecided, later) == []
    [text] = retention_texts(undecided, later, later)
    assert "holds 1 day of acme from before 2026-10-01, older than 12 months" in text
    assert 'Write months = 12 (whole older months are deleted) or months = "forever"' in text
    assert days(there, "acme") == [SEPTEMBER, OCTOBER]
    assert retention_texts(keeping(there, "forever"), later, later) == []


def test_a_deletion_that_was_killed_half_way_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = stored(tmp_path / "home", "acme")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    settings = keeping(there, 1)
    with monkeypatch.context() as patch:
        patch.setattr("openai_costs.storage.deletion.purge_lake", killed)
        with pytest.raises(KeyboardInterrupt):
            delete(there, settings)
    assert there.lake.read(DeletedMonths)["finished_at"].to_list() == [None]
    assert len(delete(there, keeping(there, 1))) == 1
    assert list(there.lake.root.rglob("*month=2026-09*/*.parquet")) == []
    row = there.lake.read(DeletedMonths).row(0, named=True)
    assert (row["billed_usd"], row["finished_at"] is None) == (Decimal("1.25"), False)


def test_deleted_days_are_never_asked_for_again_whatever_the_settings_say_later(
    tmp_path: Path,
) -> None:
    there = stored(tmp_path / "home", "acme")
    delete(there, keeping(there, 1))
    [acme] = with_kept_days(keeping(there, "forever"), there.lake, NOW.date()).connections
    assert acme.first_day == OCTOBER
    [acme] = with_kept_days(keeping(there, 1), there.lake, date(2027, 1, 5)).connections
    assert acme.first_day == date(2026, 12, 1)


def test_a_gateway_begins_with_the_first_day_that_is_kept_of_it(tmp_path: Path) -> None:
    there = stored(tmp_path / "home", "acme")
    kept = with_kept_days(keeping(there, 1, acme="forever"), there.lake, NOW.date())
    assert (kept.gateway.start, kept.connections[0].deleted_before) == (OCTOBER, None)


def test_what_adds_up_all_days_is_made_when_old_months_are_gone(tmp_path: Path) -> None:
    graph = house(tmp_path).defs().resolve_asset_graph()
    assert asset_key(DeletedMonths) in graph.get(asset_key(People)).parent_keys
