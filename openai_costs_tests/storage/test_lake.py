from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from deltalake.exceptions import DeltaError
from polars.testing import assert_frame_equal
from upath import UPath

from openai_costs.kernel.errors import ContractBroken, PageRefused
from openai_costs.storage import delta_operations, replacing
from openai_costs.storage import lake as lake_module
from openai_costs.storage.delta_faults import StorageFailed, WriteConflict
from openai_costs.storage.lake import Lake
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected, day, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
A1, A2, B1 = Slice("acme", day(1)), Slice("acme", day(2)), Slice("bolt", day(1))
Line = tuple[Slice, str | None, str]


@pytest.fixture(params=["a local folder", "an object store"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    if request.param == "a local folder":
        return UPath(tmp_path)
    return UPath(tmp_path.as_uri())


@pytest.fixture
def lake(home: UPath) -> Lake:
    return Lake(home)


def rows(*lines: Line) -> pl.DataFrame:
    """Lines as (slice, user, USD)."""
    found = [
        (key.connection, "openai", key.day, user, "gpt-5, input", "gpt-5", "input", Decimal(usd))
        for key, user, usd in lines
    ]
    return pl.DataFrame(found, schema=SpendByUser.types(), orient="row")


def read(*lines: Line, replaces: tuple[Slice, ...], at: datetime = MORNING) -> Batch:
    return Batch(rows(*lines), dict.fromkeys(replaces, at))


def by_another(write: Callable[[], object]) -> None:
    """Let another thread write, which has opened nothing, as another process has."""
    with ThreadPoolExecutor(1) as other:
        other.submit(write).result()


def held(lake: Lake) -> list[tuple[str, date, str | None, Decimal]]:
    columns = ("connection", "day", "user_id", "billed_usd")
    return lake.read(SpendByUser).select(columns).sort(columns).rows()


def test_a_slice_is_replaced_and_its_neighbours_are_not(lake: Lake) -> None:
    first = read((A1, "ada", "1"), (A2, "ada", "2"), (B1, "bo", "3"), replaces=(A1, A2, B1))
    lake.replace(SpendByUser, [first])
    lake.replace(SpendByUser, [read((A1, "eve", "10"), replaces=(A1,), at=NOON)])
    assert held(lake) == [
        ("acme", day(1), "eve", Decimal(10)),
        ("acme", day(2), "ada", Decimal(2)),
        ("bolt", day(1), "bo", Decimal(3)),
    ]


def test_a_day_without_rows_clears_the_day_and_stays_a_day(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    done = lake.replace(SpendByUser, [read(replaces=(A1,), at=NOON)])
    assert held(lake) == []
    assert lake.days(SpendByUser, "acme") == {day(1)}
    assert done.rows == {A1: 0}
    assert done.totals_usd == {A1: Decimal(0)}


def test_a_slice_that_breaks_the_contract_is_left_and_the_others_are_written(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    twice = read((A1, "ada", "7"), (A1, "ada", "8"), (A2, "ada", "2"), replaces=(A1, A2))
    done = lake.replace(SpendByUser, [twice])
    assert held(lake) == [
        ("acme", day(1), "ada", Decimal(1)),
        ("acme", day(2), "ada", Decimal(2)),
    ]
    assert set(done.refused) == {A1}
    assert isinstance(done.refused[A1], ContractBroken)
    assert "core.spend_by_user for 2026-11-01 was not replaced" in str(done.refused[A1])
    assert done.rows == {A2: 1}


def test_a_slice_refused_at_the_door_is_left_as_it_was(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    refused = {A1: PageRefused("page", "amount", "is gone")}
    done = lake.replace(SpendByUser, [Batch(rows(), {A1: NOON}, refused)])
    assert held(lake) == [("acme", day(1), "ada", Decimal(1))]
    assert done.refused == refused
    assert done.rows == {}


def test_what_was_remarked_on_is_handed_on(lake: Lake) -> None:
    batch = Batch(rows((A1, "ada", "1")), {A1: NOON}, remarks={A1: "a new field"})
    assert lake.replace(SpendByUser, [batch]).remarks == {A1: "a new field"}


def test_a_slice_remembers_its_read_and_its_page(lake: Lake) -> None:
    page = Decimal("1.000000000000000000000001")
    batch = Batch(rows((A1, "ada", "1")), {A1: NOON}, page_usd={A1: page})
    lake.replace(SpendByUser, [batch])
    (back,) = lake.batches(SpendByUser, [day(1)])
    assert back.read_at == {A1: NOON}
    assert back.page_usd == {A1: page}


def test_rows_come_back_as_they_went_in(lake: Lake) -> None:
    whole = rows((A1, None, "0.000000000000000001"), (A1, "ada", "99999999999999999999"))
    lake.replace(SpendByUser, [Batch(whole, {A1: NOON})])
    assert_frame_equal(lake.read(SpendByUser), whole)


def test_batches_are_bounded_in_rows(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Slice("acme", day(number)) for number in range(1, 7)]
    lines = [(key, user, "1") for key in keys for user in ("ada", "bo")]
    lake.replace(SpendByUser, [read(*lines, replaces=tuple(keys))])
    monkeypatch.setattr(lake_module, "ROWS_A_BATCH", 3)
    batches = list(lake.batches(SpendByUser, [key.day for key in keys]))
    assert [batch.frame.height for batch in batches] == [4, 4, 4]
    assert [key for batch in batches for key in sorted(batch.read_at)] == keys


def test_small_files_are_taken_together_in_their_order(lake: Lake) -> None:
    keys = [Slice(name, day(number)) for name in ("acme", "labs") for number in range(1, 4)]
    lines = [(key, "ada", str(number)) for number, key in enumerate(keys)]
    lake.replace(SpendByUser, [read(*lines, replaces=tuple(keys))])
    (batch,) = lake.batches(SpendByUser, [day(3), day(9), day(2)])
    assert batch.frame.select("connection", "day").rows() == [
        (name, day(number)) for name in ("acme", "labs") for number in (3, 2)
    ]
    assert sorted(batch.read_at) == sorted(key for key in keys if key.day != day(1))


def test_days_that_are_not_there_are_not_an_error(lake: Lake) -> None:
    assert lake.read(SpendByUser, [day(1)]).is_empty()
    assert lake.read(SpendByUser).schema == SpendByUser.no_rows().schema
    assert lake.days(SpendByUser, "acme") == set()
    assert lake.connections(SpendByUser) == []
    assert not lake.has(SpendByUser)


def test_stored_slices_are_known_with_their_read_also_without_rows(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (A1, "bo", "2"), replaces=(A1, A2, B1))])
    stored = lake.slices(SpendByUser).sort("connection", "day")
    assert stored.select("connection", "day", "rows").rows() == [
        ("acme", day(1), 2),
        ("acme", day(2), 0),
        ("bolt", day(1), 0),
    ]
    assert [at.replace(tzinfo=UTC) for at in stored["read_at"]] == [
        lake.reads(SpendByUser).get(key) for key in (A1, A2, B1)
    ]


def test_daily_usd_is_exact_over_all_connections(lake: Lake) -> None:
    tiny = "0.000000000000000001"
    whole = read((A1, "ada", "1"), (B1, "bo", tiny), (A2, "ada", "2"), replaces=(A1, A2, B1))
    lake.replace(SpendByUser, [whole])
    assert lake.daily_usd(SpendByUser).rows() == [
        (day(1), Decimal("1.000000000000000001")),
        (day(2), Decimal(2)),
    ]


def test_an_empty_lake_has_no_rows_and_no_dollars(lake: Lake) -> None:
    assert lake.slices(SpendByUser).is_empty()
    assert lake.daily_usd(SpendByUser).is_empty()


def test_a_whole_table_that_breaks_its_contract_is_as_it_was(lake: Lake) -> None:
    columns = ("acme", "costs", day(1))
    nothing = (None, None, None)
    good = connected([(*columns, "missing", *nothing)])
    lake.replace_whole(Coverage, good)
    bad = good.with_columns(state=pl.lit("perhaps"))
    with pytest.raises(ContractBroken, match="isin"):
        lake.replace_whole(Coverage, bad)
    assert_frame_equal(lake.read(Coverage), good)


def test_a_file_that_was_never_committed_is_never_read(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    folder = tmp_path / "lake/core/spend_by_user/connection=acme/month=2026-11"
    (committed,) = folder.iterdir()
    shutil.copy(committed, folder / "part-00000-of-a-killed-writer.parquet")
    (folder / "part-00001-half-written.parquet").write_bytes(b"PAR1")
    again = Lake(UPath(tmp_path))
    assert held(again) == [("acme", day(1), "ada", Decimal(1))]
    assert again.daily_usd(SpendByUser).rows() == [(day(1), Decimal(1))]
    assert again.slices(SpendByUser).height == 1


def test_a_write_that_fails_leaves_the_slice_as_it_was(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])

    def full(*_: object, **__: object) -> None:
        raise DeltaError("Generic LocalFileSystem error: No space left on device (os error 28)")

    monkeypatch.setattr(delta_operations, "write_deltalake", full)
    with pytest.raises(OSError, match="No space left on device"):
        lake.replace(SpendByUser, [read((A1, "eve", "9"), replaces=(A1,), at=NOON)])
    assert held(lake) == [("acme", day(1), "ada", Decimal(1))]
    assert lake.reads(SpendByUser).get(A1) == MORNING


def test_a_panic_of_the_library_is_an_error_with_a_reason(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):
        """As delta-rs raises it: no `Exception`."""

    def panic(*_: object, **__: object) -> None:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(delta_operations, "write_deltalake", panic)
    with pytest.raises(StorageFailed, match=r"delta-rs stopped .*unwrap"):
        lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])


def test_a_batch_derived_from_another_speaks_of_the_same_reads() -> None:
    refused = {B1: PageRefused("page", "amount", "is gone")}
    batch = Batch(rows((A1, "ada", "1")), {A1: NOON}, refused, {A1: "new"})
    derived = batch.derive(lambda frame: frame.clear())
    assert derived.frame.is_empty()
    assert (derived.read_at, derived.refused, derived.remarks) == (
        {A1: NOON},
        refused,
        {A1: "new"},
    )


def test_large_batches_are_taken_one_at_a_time(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacing, "ENOUGH_ROWS", 1)
    taken: list[str] = []

    def batches() -> Iterator[Batch]:
        for key in (A1, A2):
            taken.append(f"{key.day} with {len(held(lake))} rows there")
            yield read((key, "ada", "1"), replaces=(key,))

    lake.replace(SpendByUser, batches())
    assert taken == ["2026-11-01 with 0 rows there", "2026-11-02 with 1 rows there"]


def test_small_batches_are_one_commit_until_a_slice_comes_again(lake: Lake) -> None:
    refused = {A2: PageRefused("page", "amount", "is gone")}
    first = replace(read((A1, "ada", "1"), replaces=(A1,)), refused=refused)
    second = replace(read((B1, "bo", "2"), replaces=(B1,)), page_usd={B1: Decimal(2)})
    again = read((A2, "eve", "3"), (A1, "eve", "4"), replaces=(A2, A1), at=NOON)
    done = lake.replace(SpendByUser, [first, second, again])
    assert lake.written(SpendByUser).slices.select("day", "rows", "version").rows() == [
        (day(1), 1, 2),
        (day(2), 1, 2),
        (day(1), 1, 1),
    ]
    assert held(lake) == [
        ("acme", day(1), "eve", Decimal(4)),
        ("acme", day(2), "eve", Decimal(3)),
        ("bolt", day(1), "bo", Decimal(2)),
    ]
    assert done.refused == refused
    assert lake.page_sums(SpendByUser)["page_usd"].to_list() == [Decimal(2)]


def test_the_rows_of_a_slice_keep_the_order_in_which_they_were_written(lake: Lake) -> None:
    keys = [Slice("acme", day(number)) for number in range(1, 21)]
    names = [f"user{number * 7919 % 1000:03}" for number in range(1000)]
    lines = [(key, name, "1") for key in keys for name in names]
    lake.replace(SpendByUser, [read(*lines, replaces=tuple(keys))])
    for key in keys[5:15]:
        lake.replace(SpendByUser, [read(*[(key, name, "2") for name in names], replaces=(key,))])
    for batch in lake.batches(SpendByUser, [key.day for key in keys]):
        for rows_of_day in batch.frame.partition_by("day"):
            assert rows_of_day["user_id"].to_list() == names


def test_tables_in_a_block_that_is_frozen_stay_as_they_were_at_their_first_use(
    lake: Lake, home: UPath
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    with lake.frozen():
        assert len(held(lake)) == 1
        newer = read((A1, "eve", "5"), (A2, "eve", "5"), replaces=(A1, A2), at=NOON)
        by_another(lambda: Lake(home).replace(SpendByUser, [newer]))
        assert held(lake) == [("acme", day(1), "ada", Decimal(1))]
        assert lake.reads(SpendByUser) == {A1: MORNING}
        assert lake.daily_usd(SpendByUser).rows() == [(day(1), Decimal(1))]
    assert [row[3] for row in held(lake)] == [Decimal(5), Decimal(5)]


def test_a_whole_table_that_stays_the_same_makes_no_commit(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Coverage, covered("missing"))
    before = files(tmp_path, "lake/mart/coverage")
    lake.replace_whole(Coverage, covered("missing"))
    assert files(tmp_path, "lake/mart/coverage") == before
    lake.replace_whole(Coverage, covered("settled"))
    assert lake.read(Coverage)["state"].to_list() == ["settled"]


def test_on_an_object_store_a_table_that_another_run_replaced_meanwhile_is_not_overwritten(
    tmp_path: Path,
) -> None:
    store = UPath(tmp_path.as_uri())
    ours, theirs = Lake(store), Lake(store)
    ours.replace_whole(Coverage, covered("missing"))
    with ours.alone(Coverage):
        ours.read(Coverage)
        theirs.replace_whole(Coverage, covered("provisional"))
        with pytest.raises(WriteConflict, match=r"mart\.coverage was not replaced: another run"):
            ours.replace_whole(Coverage, covered("settled"))
    assert ours.read(Coverage)["state"].to_list() == ["provisional"]
    with ours.alone(Coverage):
        ours.read(Coverage)
        ours.replace_whole(Coverage, covered("settled"))
        ours.replace_whole(Coverage, covered("missing"))
    assert theirs.read(Coverage)["state"].to_list() == ["missing"]


def test_a_connection_is_removed_with_its_days_without_rows(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (B1, "bo", "3"), replaces=(A1, A2, B1))])
    lake.remove_slices("connection = 'acme'")
    assert held(lake) == [("bolt", day(1), "bo", Decimal(3))]
    assert lake.connections(SpendByUser) == ["bolt"]
    lake.replace(SpendByUser, [read(replaces=(A2,))])
    assert lake.days(SpendByUser, "acme") == {day(2)}


def test_days_after_a_day_are_removed_in_every_connection(lake: Lake) -> None:
    lake.replace(SpendByUser, [read((A2, "ada", "1"), (B1, "bo", "3"), replaces=(A1, A2, B1))])
    lake.remove_slices(f"day > '{day(1)}'")
    assert held(lake) == [("bolt", day(1), "bo", Decimal(3))]
    assert lake.days(SpendByUser, "acme") == {day(1)}


@pytest.mark.parametrize(
    "name", ["key=value/connection=x", "space and ü", "a#b?c*d", "Ines's 50% {a};b"]
)
def test_a_home_in_a_folder_of_any_name_is_read_right(tmp_path: Path, name: str) -> None:
    lake = Lake(UPath(tmp_path / name))
    odd = Slice("x y/z=ü", day(1))
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (odd, "bo", "2"), replaces=(A1, odd))])
    lake.replace(SpendByUser, [read((A1, "ada", "3"), replaces=(A1,), at=NOON)])
    assert held(lake) == [
        ("acme", day(1), "ada", Decimal(3)),
        (odd.connection, day(1), "bo", Decimal(2)),
    ]
    names = "SELECT connection, billed_usd FROM stored ORDER BY 1"
    schema = pl.Schema({"connection": pl.String(), "usd": pl.Decimal(38, 18)})
    assert lake.ask(SpendByUser, names, schema).rows() == [("acme", 3), (odd.connection, 2)]


def test_a_damaged_data_file_is_one_sentence_with_the_table(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    for file in (tmp_path / "lake/core/spend_by_user").rglob("part-*.parquet"):
        file.write_bytes(b"no Parquet")
    with pytest.raises(StorageFailed, match=r"lake/core/spend_by_user: .*backfill --offline"):
        lake.read(SpendByUser)


def test_a_table_gets_a_column_that_its_contract_got(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = SpendByUser.types()
    before = rows((A1, "ada", "1"), (A2, "ada", "1")).drop("model")
    older = {name: kind for name, kind in types.items() if name != "model"}
    with monkeypatch.context() as patched:
        patched.setattr(SpendByUser, "types", lambda: older)
        patched.setattr(SpendByUser, "no_rows", lambda: pl.DataFrame(schema=older))
        patched.setattr(SpendByUser, "broken_rules", lambda _: [])
        lake.replace(SpendByUser, [Batch(before, {A1: MORNING, A2: MORNING})])
    close_all()
    lake = Lake(lake.root.parent)  # as a newer release has it
    asked = pl.Schema({"model": pl.String()})
    assert lake.read(SpendByUser)["model"].to_list() == [None, None]
    assert lake.ask(SpendByUser, "SELECT model FROM stored", asked).rows() == [(None,), (None,)]
    lake.replace(SpendByUser, [read((A1, "ada", "2"), replaces=(A1,), at=NOON)])
    assert lake.read(SpendByUser)["model"].to_list() == ["gpt-5", None]
    models = lake.ask(SpendByUser, "SELECT model FROM stored ORDER BY day", asked)
    assert models.rows() == [("gpt-5",), (None,)]
    monkeypatch.setattr(SpendByUser, "before", lambda: {"model": "one that was the only one"})
    assert lake.read(SpendByUser)["model"].to_list() == ["gpt-5", "one that was the only one"]
    models = lake.ask(SpendByUser, "SELECT model FROM stored ORDER BY day", asked)
    assert models.rows() == [("gpt-5",), ("one that was the only one",)]


def covered(state: str) -> pl.DataFrame:
    row = {"connection": "acme", "source": "costs", "day": day(1), "state": state}
    row["is_connected"] = True
    return pl.DataFrame([{**dict.fromkeys(Coverage.types()), **row}], schema=Coverage.types())
