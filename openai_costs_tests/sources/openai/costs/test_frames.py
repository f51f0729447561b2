from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CurrencyRefused, PageRefused
from openai_costs.kernel.money import MONEY, total
from openai_costs.settings import Reading
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.costs.frames import (
    by_user_batches,
    control_batches,
    ledger_batches,
)
from openai_costs.sources.openai.costs.source import OpenAICosts
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.sources.openai.wire import (
    ACME,
    COARSEST,
    DAY,
    READ_AT,
    WITH_USERS,
    after,
    api_of,
    as_kept,
    bucket,
    by_label,
    exact_sum,
    kept,
    recorded_days,
    result,
    rounded_once,
    span,
    table,
)

GRACE = Reading().grace
HERE = Slice("acme", DAY)


def ledger(*reads: KeptRead) -> pl.DataFrame:
    return table(ledger_batches(reads, ACME))


def one_batch(*reads: KeptRead) -> Batch:
    (batch,) = ledger_batches(reads, ACME)
    return batch


def refusal(read: KeptRead) -> PageRefused:
    refused = one_batch(read).refused[HERE]
    assert isinstance(refused, PageRefused)
    assert refused.page == f"{read.page}!ledger.json"
    assert refused.field in str(refused)
    return refused


def day_of(*results: str) -> KeptRead:
    return kept(bucket(DAY, *results))


def test_an_amount_in_any_form_is_its_exact_dollars():
    assert by_label(ledger(*recorded_days("amounts_in_every_form"))) == {
        "gpt-4.1-2025-04-14, input": Decimal("0.0725"),
        "gpt-4.1-2025-04-14, output": Decimal("0.0041825"),
        "gpt-4.1-2025-04-14, cached input": Decimal(0),
        "web search tool calls": Decimal(3),
        "text-embedding-3-large, input": Decimal("0.00000013"),
        "Vector storage": Decimal("41.2"),
        "Scale tier bundle": Decimal("-2.25"),
    }


@pytest.mark.parametrize(
    "value",
    ["0.1739150000", '"0.1739150000000000000000000000"', "173915e-6", '"1.73915E-1"'],
)
def test_number_and_text_give_the_same_dollars(value: str):
    assert ledger(day_of(result(value)))["billed_usd"].to_list() == [Decimal("0.173915")]


@pytest.mark.parametrize(
    "value",
    [
        '"NaN"',
        '"Infinity"',
        '"-Infinity"',
        '"inf"',
        "null",
        "true",
        "false",
        "1e309",
        '"1e309"',
        '""',
        '"1,50"',
        '"$1"',
        "[]",
        "{}",
        "[1]",
        '{"usd": 1}',
        "1000000000000",
        '"1e400"',
    ],
)
def test_an_amount_that_is_no_finite_number_is_refused_by_page_and_field(value: str):
    refused = refusal(day_of(result("2"), result(value)))
    assert refused.field == "results[1].amount.value"


@pytest.mark.parametrize("value", ["null", "true", "false"])
def test_an_amount_that_is_no_number_is_shown_as_the_page_has_it(value: str):
    why = str(refusal(day_of(result("2"), result(value))))
    assert f"is '{value}', which is not a finite number" in why
    assert "None" not in why


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1.", "0x1"])
def test_a_kept_page_that_is_no_json_refuses_only_itself(value: str):
    batch = one_batch(day_of(result(value)), kept(bucket(after(1), result("3")), day=after(1)))
    assert isinstance(batch.refused[HERE], PageRefused)
    assert batch.frame["day"].to_list() == [after(1)]


def test_a_kept_page_that_is_no_text_refuses_only_itself():
    broken = bucket(DAY, result(line_item="whisper")).encode().replace(b"whisper", b"\xff\xfe")
    batch = one_batch(kept(broken), kept(bucket(after(1), result("3")), day=after(1)))
    assert isinstance(batch.refused[HERE], PageRefused)
    assert batch.frame["day"].to_list() == [after(1)]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ('{"object": "organization.costs.result"}', "amount"),
        ('{"amount": null}', "amount"),
        ('{"amount": 3}', "amount"),
        ('{"amount": {"currency": "usd"}}', "value"),
        ('{"amount": {"value": 1}}', "currency"),
        ('{"amount": {"value": 1, "currency": null}}', "currency"),
        (result(project_id=7), "project_id"),
        (result(line_item=["whisper-1"]), "line_item"),
        (result(quantity_unit=1), "quantity_unit"),
        (result(quantity="many"), "quantity"),
        (result(quantity=True), "quantity"),
        ("null", "results"),
        ("3", "results"),
    ],
)
def test_a_field_that_is_gone_or_of_another_type_is_refused_by_its_path(said: str, field: str):
    refused = refusal(day_of(result("2"), said))
    assert refused.field.startswith("results[")
    assert field in refused.field
    assert " " not in refused.field


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ("renamed_amount", "amount"),
        ("renamed_dimension", "api_key_id"),
        ("renamed_results", "results"),
    ],
)
def test_a_renamed_field_is_refused(case: str, field: str):
    (read,) = recorded_days(case)
    refused = refusal(read)
    assert field in refused.field
    assert " " not in refused.field


def test_a_dimension_that_is_merely_absent_is_unattributed():
    assert ledger(day_of(result("1", line_item="whisper-1")))["project_id"].to_list() == [None]


def test_another_currency_is_refused_and_named():
    (read,) = recorded_days("other_currency")
    refused = refusal(read)
    assert isinstance(refused, CurrencyRefused)
    assert "eur" in str(refused)


def test_capital_usd_is_the_same_currency():
    assert total(ledger(day_of(result("2", currency="USD"), result("1")))["billed_usd"]) == 3


def test_a_day_without_results_is_a_day_of_nothing():
    batch = one_batch(*recorded_days("empty_day"))
    assert batch.frame["day"].to_list() == [DAY, after(2)]
    assert batch.page_usd[Slice("acme", after(1))] == 0
    assert set(batch.read_at) == {Slice("acme", day) for day in span(3)}


def test_spend_without_a_user_is_kept_as_unattributed():
    frame = ledger(*recorded_days("unattributed"))
    named = frame.select("line_item", "project_id", "api_key_id", "billed_usd").rows()
    assert sorted(named, key=str) == sorted(
        [
            ("Scale tier bundle", None, None, Decimal(12)),
            ("assistants api | file search", None, None, Decimal("0.4")),
            ("evals | gpt-4o-mini-2024-07-18, input", "proj_ferry", None, Decimal("0.1")),
            (None, "proj_ferry", "key_dock", Decimal("0.2")),
        ],
        key=str,
    )


def test_openai_invoices_its_own_usage_in_dollars_and_names_no_list_price():
    (found,) = ledger(day_of(result("1.5"))).rows(named=True)
    known = ("provider", "host", "cost_basis", "charge_category")
    assert [found[name] for name in known] == ["openai", "openai", "billed", "usage"]
    unknown = ("list_usd", "product", "region", "currency", "amount", "tags")
    assert {found[name] for name in unknown} == {None}


def test_a_key_that_comes_twice_is_one_row_with_the_sum():
    frame = ledger(*recorded_days("duplicate_keys"))
    told = frame.select("line_item", "api_key_id", "billed_usd", "quantity").rows()
    assert told == [
        ("web search tool calls", None, Decimal("0.03"), None),
        ("gpt-4.1-2025-04-14, input", "key_dock", Decimal("3.75"), Decimal(300)),
        ("gpt-4.1-2025-04-14, input", "key_quay", Decimal("0.05"), Decimal(7)),
    ]
    assert Spend.broken_rules(frame) == []


def test_a_quantity_of_a_trillion_is_kept_and_one_without_room_is_not_known():
    results = [
        result("1", quantity=2 * 10**12, quantity_unit="tokens"),
        result("1", line_item="b", quantity=5 * 10**19, quantity_unit="bytes"),
        result("1", line_item="c", quantity=10**17, quantity_unit="1000_tokens"),
        result("1", line_item="d", quantity=10**20, quantity_unit="bytes"),
    ]
    frame = ledger(day_of(*results))
    quantities = sorted(frame["quantity"].drop_nulls().to_list())
    assert quantities == [Decimal(2 * 10**12), Decimal(5 * 10**19)]
    assert frame["billed_usd"].sum() == 4


def test_a_quantity_is_counted_in_single_units_and_null_stays_null():
    frame = ledger(*recorded_days("quantities"))
    assert by_label(frame, "quantity") == {
        "gpt-4.1-2025-04-14, input": Decimal(12_500),
        "gpt-4.1-2025-04-14, output": Decimal(340),
        "whisper-1": Decimal(61),
        "Vector storage": Decimal("9.25"),
        "web search tool calls": Decimal(500),
        "Scale tier bundle": None,
        "gpt-image-2.5-sunburst": Decimal(3),
        "tts-1-hd": None,
    }
    units = by_label(frame, "quantity_unit")
    assert units["gpt-4.1-2025-04-14, input"] == "tokens"
    assert units["gpt-image-2.5-sunburst"] == "moving_pictures"
    assert units["web search tool calls"] is None
    assert frame.schema["quantity"] == MONEY


def test_tokens_and_thousands_of_tokens_of_one_key_are_one_row():
    frame = ledger(
        day_of(
            result("1", quantity=1.5, quantity_unit="1000_tokens"),
            result("1", quantity=20, quantity_unit="tokens"),
        )
    )
    assert frame.select("billed_usd", "quantity", "quantity_unit").rows() == [(2, 1520, "tokens")]


def test_a_known_quantity_beside_an_unknown_one_is_what_is_known():
    unit = {"quantity_unit": "tokens"}
    frame = ledger(day_of(result("1", quantity=5, **unit), result("1", quantity=None, **unit)))
    assert frame.select("billed_usd", "quantity").rows() == [(Decimal(2), Decimal(5))]


def test_different_units_of_one_key_are_never_added():
    frame = ledger(
        day_of(
            result("1", quantity=5, quantity_unit="images"),
            result("1", quantity=7, quantity_unit="tokens"),
            result("1", quantity=9, quantity_unit=None),
        )
    )
    assert dict(frame.select("quantity_unit", "quantity").iter_rows()) == {
        "images": 5,
        "tokens": 7,
        None: 9,
    }


@pytest.mark.parametrize(
    ("case", "named", "usd"),
    [
        ("unknown_field", "carbon_grams", 3),
        ("unknown_field_in_amount", "rounded", 1),
        ("unknown_object", "organization.costs.correction", Decimal("0.5")),
    ],
)
def test_what_is_merely_new_is_remarked_and_counted(case: str, named: str, usd: Decimal):
    batch = one_batch(*recorded_days(case))
    assert named in batch.remarks[HERE]
    assert batch.refused == {}
    assert total(batch.frame["billed_usd"]) == usd


def test_a_new_field_of_a_bucket_is_remarked():
    body = bucket(DAY, result("1")).replace('"results"', '"region": "eu", "results"')
    assert "region" in one_batch(kept(body)).remarks[HERE]


def test_fields_on_the_wire_that_no_document_names_are_no_news():
    assert one_batch(*recorded_days("undocumented_fields")).remarks == {}


def test_one_bad_day_refuses_only_itself():
    batch = one_batch(*recorded_days("one_bad_day"))
    assert list(batch.refused) == [Slice("acme", after(1))]
    assert batch.frame["day"].to_list() == [DAY, after(2)]
    assert set(batch.read_at) == {HERE, Slice("acme", after(2))}


def test_a_ledger_without_a_single_good_day_is_an_empty_table():
    batch = one_batch(day_of(result('"NaN"')))
    assert batch.frame.schema == pl.Schema(Spend.types())
    assert batch.frame.height == 0


def test_no_reads_are_an_empty_table():
    assert ledger().height == 0
    assert table(by_user_batches([], ACME)).schema == pl.Schema(SpendByUser.types())
    assert table(control_batches([], GRACE)).schema == pl.Schema(SpendControl.types())


def test_the_ledger_says_who_billed_whom_and_how_it_was_read():
    frame = ledger(day_of(result("1", line_item="gpt-4o, input")))
    told = frame.select("connection", "provider", "organization_id", "grouping", "model").rows()
    assert told == [("acme", "openai", "org-acme", "project_id,api_key_id,line_item", "gpt-4o")]


def test_a_connection_without_an_organization_id_has_none_in_its_rows():
    nameless = OpenAIConnection(name="acme")
    frame = table(ledger_batches([day_of(result())], nameless))
    assert frame["organization_id"].to_list() == [None]
    assert Spend.broken_rules(frame) == []


def test_a_ledger_with_users_makes_the_user_table():
    reads = recorded_days("users", grouping=WITH_USERS)
    assert table(by_user_batches(reads, ACME)).select(
        "user_id", "line_item", "billed_usd"
    ).rows() == [
        (None, "gpt-4.1-2025-04-14, input", Decimal("0.25")),
        ("user-ana", "gpt-4.1-2025-04-14, input", Decimal(2)),
        ("user-bo", "whisper-1", Decimal(2)),
    ]
    assert total(ledger(*reads)["billed_usd"]) == Decimal("4.25")


def test_a_user_view_is_used_where_the_ledger_names_no_users():
    view = bucket(DAY, result("3", user_id="user-ana", line_item="whisper-1")).encode()
    read = kept(bucket(DAY, result("3", project_id="proj_ferry")), user_view=view)
    assert table(by_user_batches([read], ACME))["user_id"].to_list() == ["user-ana"]
    assert ledger(read)["project_id"].to_list() == ["proj_ferry"]


def test_the_control_total_is_one_row_also_for_a_day_of_nothing():
    reads = recorded_days("empty_day", grouping=(), part="control")
    frame = table(control_batches(reads, GRACE))
    assert frame.select("day", "billed_usd").rows() == [
        (DAY, Decimal("1.5")),
        (after(1), Decimal(0)),
        (after(2), Decimal("0.25")),
    ]
    assert SpendControl.broken_rules(frame) == []


def test_the_control_total_says_when_it_was_read_and_whether_the_day_had_settled():
    days = [READ_AT.date() - timedelta(days=age) for age in range(4)]
    reads = [kept(bucket(day, result()), day=day, grouping=(), part="control") for day in days]
    frame = table(control_batches(reads, GRACE))
    assert frame.sort("day", descending=True)["is_settled"].to_list() == [False, False, True, True]
    assert frame.sort("day", descending=True)["is_over"].to_list() == [False, True, True, True]
    assert set(frame["read_at"]) == {READ_AT.replace(tzinfo=None)}


def test_a_day_says_which_grouping_it_was_read_in():
    coarse = kept(bucket(DAY, result("1", project_id="proj_ferry")), grouping=COARSEST)
    assert ledger(coarse)["grouping"].to_list() == ["project_id,line_item"]


names = st.sampled_from([None, "", "proj_ferry", "proj_tide"])
labels = st.sampled_from([None, "", "whisper-1", "gpt-4o, input", "Scale tier bundle", "…"])
units = st.sampled_from([None, "tokens", "1000_tokens", "images", "brand_new"])
plain = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=12)
decimal128 = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(scale),
    st.integers(-(10**11), 10**11),
    st.integers(-6176, 0),
)
quantities = st.one_of(st.none(), st.integers(0, 10**11), st.decimals(0, 10**9, places=3))


@st.composite
def results(draw: st.DrawFn, amounts: st.SearchStrategy[Decimal] = plain) -> tuple[Decimal, str]:
    usd = draw(amounts)
    text = draw(st.sampled_from([f"{usd}", f'"{usd}"', f'"{usd:E}"']))
    quantity = draw(quantities)
    said = result(
        text,
        project_id=draw(names),
        api_key_id=draw(names),
        line_item=draw(labels),
        quantity_unit=draw(units),
    )
    return usd, said[:-1] + f', "quantity": {"null" if quantity is None else quantity}}}'


pages = st.lists(st.lists(results(), max_size=5), min_size=1, max_size=6)


def tables(reads: Sequence[KeptRead]) -> dict[str, pl.DataFrame]:
    found = {
        "spend": ledger_batches(reads, ACME),
        "by_user": by_user_batches(reads, ACME),
        "control": control_batches(reads, GRACE),
    }
    return {name: table(batches) for name, batches in found.items()}


def read_over_the_wire(
    buckets: Mapping[date, str], ranges: Sequence[DayRange], most_on_a_page: int
) -> list[KeptRead]:
    """Read ranges of days one after the other, through the real client."""
    here = OpenAIConnection(name="acme", base_url="sample://literal", start=DAY)
    source = OpenAICosts(
        Settings(home="memory://nowhere", config_file=Path("none.toml"), connections=(here,)),
        Archive(UPath("memory://nowhere")),
        lambda: datetime(2026, 3, 20, 6, tzinfo=UTC),
        Reach(lambda _connection: api_of(buckets, most_on_a_page=most_on_a_page)),
    )
    reads = [read for days in ranges for read in source.read(here, days, lambda _line: None)]
    return [as_kept(read) for read in sorted(reads, key=lambda read: read.day)]


@given(pages, st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_into_windows_pages_and_batches_gives_the_same_tables(
    days: list[list[tuple[Decimal, str]]], data: st.DataObject
):
    wire = {after(age): bucket(after(age), *(s for _, s in day)) for age, day in enumerate(days)}
    cuts = sorted(data.draw(st.sets(st.integers(1, len(days)))) | {0, len(days)})
    edges = list(pairwise(cuts))
    ranges = [DayRange(after(first), after(end - 1)) for first, end in edges]
    whole = read_over_the_wire(wire, [span(len(days))], most_on_a_page=180)
    split = read_over_the_wire(wire, ranges, data.draw(st.integers(1, 7)))
    assert [(one.bodies, one.manifest.day) for one in split] == [
        (one.bodies, one.manifest.day) for one in whole
    ]
    in_one = tables(whole)
    in_batches = [tables(split[first:end]) for first, end in edges]
    for name, frame in in_one.items():
        assert_frame_equal(pl.concat([batch[name] for batch in in_batches]), frame)


@given(st.lists(results(), max_size=6), st.randoms())
@settings(max_examples=30, deadline=None)
def test_results_in_any_order_give_the_same_table(
    day: list[tuple[Decimal, str]],
    chance: st.DataObject,
):
    said = [text for _, text in day]
    shuffled = list(said)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_frame_equal(ledger(day_of(*shuffled)), ledger(day_of(*said)))


@given(st.lists(results(), max_size=6))
@settings(max_examples=30, deadline=None)
def test_reading_twice_is_reading_once(day: list[tuple[Decimal, str]]):
    once, again = (tables([day_and_control(day)]) for _ in range(2))
    for name, frame in once.items():
        assert_frame_equal(again[name], frame)


@given(st.lists(results(st.one_of(plain, decimal128)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_table_adds_up_to_the_wire_rounded_once(day: list[tuple[Decimal, str]]):
    expected = rounded_once(exact_sum([usd for usd, _ in day]))
    found = tables([day_and_control(day)])
    assert {name: total(frame["billed_usd"]) for name, frame in found.items()} == {
        "spend": expected,
        "by_user": expected,
        "control": expected,
    }
    assert Spend.broken_rules(found["spend"]) == []
    assert SpendByUser.broken_rules(found["by_user"]) == []


def day_and_control(day: list[tuple[Decimal, str]]) -> KeptRead:
    body = bucket(DAY, *(said for _, said in day))
    return kept(body, control=body.encode())
