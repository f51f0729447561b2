"""A provider that is nothing like OpenAI: its own words stay in its folder, and reach a person."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina
from upath import UPath

from openai_costs.cli.doctor import facts
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    IncompleteRead,
    MissingKey,
    PathNotAllowed,
    ProviderUnavailable,
    SettingsError,
)
from openai_costs.settings.load import Settings, settings_of
from openai_costs.sources import registry
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs_tests.sources.acme_ai.assets import ACME_AI
from openai_costs_tests.sources.acme_ai.endpoints import VENDOR
from openai_costs_tests.sources.acme_ai.frames import ledger
from openai_costs_tests.sources.acme_ai.protocol import entries
from openai_costs_tests.sources.acme_ai.settings import AcmeConnection
from openai_costs_tests.sources.acme_ai.source import AcmeCosts
from openai_costs_tests.sources.acme_ai.wire import (
    BILL,
    DAY,
    KEY,
    OTHER_DAY,
    USD,
    AcmeWire,
    entry,
    page,
)
from openai_costs_tests.sources.openai.wire import converse, in_turn

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = DayRange(DAY, OTHER_DAY)
ACME = AcmeConnection(name="acme", organization_id="acct_1", requests_per_minute=100_000)
VENDOR_WORDS = ("OpenAI", "sk-admin", "api.usage.read", "organisation owner", "/organization/")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACME_AI_KEY", KEY)
    monkeypatch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, ACME_AI))
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def here(home: Path) -> Settings:
    return Settings(home=str(home), config_file=home / "none.toml", connections=(ACME,))


def read(home: Path, wire: AcmeWire) -> list[DayRead]:
    reader = AcmeCosts(here(home), Archive(UPath(home)), lambda: NOON, Reach(lambda _: wire))
    return list(reader.read(ACME, DAYS, silent))


def kept(home: Path, wire: AcmeWire) -> list[KeptRead]:
    return [
        KeptRead(UPath(f"raw/{one.day}"), one.manifest(), dict(one.bodies))
        for one in read(home, wire)
    ]


def one_batch(*reads: KeptRead) -> Batch:
    (batch,) = ledger(reads, ACME)
    return batch


def test_its_key_goes_into_its_own_header(tmp_path: Path):
    wire = AcmeWire()
    read(tmp_path, wire)
    assert {one.headers["x-acme-key"] for one in wire.asked} == {KEY}
    assert not any("authorization" in one.headers for one in wire.asked)


def test_an_answer_of_many_days_is_cut_into_days_with_every_entry_verbatim(tmp_path: Path):
    wire = AcmeWire()
    found = {one.day: one.bodies["costs"] for one in read(tmp_path, wire)}
    assert [*found] == [*DAYS]
    assert found[DAY + ONE_DAY] == b"[]"
    assert [dict(one.url.params).get("resume") for one in wire.asked] == [None, "2"]


def test_cents_in_decimal_text_are_exact_dollars(tmp_path: Path):
    batch = one_batch(*kept(tmp_path, AcmeWire()))
    sums = batch.frame.group_by("day").agg(pl.col("billed_usd").sum())
    assert dict(sums.iter_rows()) == USD
    empty = dict.fromkeys(DAYS, Decimal(0))
    assert batch.page_usd == {Slice("acme", day): usd for day, usd in (empty | USD).items()}
    assert {key.day for key in batch.read_at} == {*DAYS}


def test_an_entry_without_its_amount_refuses_its_day_and_no_other(tmp_path: Path):
    renamed = {name: value for name, value in entry(DAY, "1").items() if name != "cents"}
    batch = one_batch(*kept(tmp_path, AcmeWire((renamed, *BILL[3:]))))
    assert {key.day for key in batch.refused} == {DAY}
    assert batch.frame["billed_usd"].sum() == USD[OTHER_DAY]


def test_an_amount_that_is_no_number_is_named_with_its_field(tmp_path: Path):
    odd = (BILL[0], entry(DAY, "much"))
    (error,) = one_batch(*kept(tmp_path, AcmeWire(odd))).refused.values()
    assert "entries[1].cents" in str(error)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([page(BILL[0], resume="a"), page(BILL[1], resume="a")], "'a' came back"),
        ([page(resume="a")], "an empty page says has_more"),
        ([b'{"resume": null}'], "not a page of these days"),
        ([page(entry(DAY - ONE_DAY, "1"))], "not a page of these days"),
    ],
)
def test_paging_that_makes_no_sense_is_an_incomplete_read(answers: list[bytes], words: str):
    with pytest.raises(IncompleteRead, match=words):
        converse(entries(DAYS), in_turn(*answers * 4))


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        ((403, "role", "Ask your admin."), AccessRefused, "Ask your admin."),
        ((401, "key", "Expired."), AccessRefused, "a billing key (acme-billing-...)"),
        ((503, "busy", "Back soon."), ProviderUnavailable, "HTTP 503: Back soon."),
    ],
)
def test_an_error_in_its_own_shape_is_shown_in_its_own_words(
    tmp_path: Path, refusal: tuple[int, str, str], kind: type[Exception], words: str
):
    with pytest.raises(kind) as error:
        read(tmp_path, AcmeWire(refusal=refusal))
    assert words in str(error.value)
    assert not any(word in str(error.value) for word in VENDOR_WORDS)


def test_nothing_outside_its_allow_list_is_asked(tmp_path: Path):
    wire = AcmeWire()
    with pytest.raises(PathNotAllowed):
        transport_to(VENDOR, here(tmp_path), ACME, Reach(lambda _: wire), silent).get(
            "/organization/costs", []
        )
    assert wire.asked == []


def test_a_missing_key_is_reported_with_its_variable_and_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ACME_AI_KEY")
    with pytest.raises(MissingKey) as missing:
        read(tmp_path, AcmeWire())
    assert "ACME_AI_KEY" in str(missing.value)
    assert "Create a billing key in Acme AI's console" in str(missing.value)
    assert not any(word in str(missing.value) for word in VENDOR_WORDS)


@pytest.mark.parametrize(
    ("key", "states"),
    [(KEY, {"key": "OK", "call": "OK"}), ("sk-admin-other", {"key": "WARN", "call": "FAIL"})],
)
def test_the_doctor_speaks_of_it_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, states: dict[str, str]
):
    monkeypatch.setenv("ACME_AI_KEY", key)
    reach = Reach(lambda _: AcmeWire())
    found = [one for one in facts(here(tmp_path), lambda: NOON, reach) if "acme" in one.about]
    assert {one.about: one.state for one in found} == {
        "acme: key": states["key"],
        "acme: GET /billing/entries": states["call"],
        "acme: tables": "WARN",
    }
    assert not any(word in one.text for one in found for word in VENDOR_WORDS)


def settings(*tables: dict[str, Any], text: str = "") -> Settings:
    kinds = registry.connection_kinds()
    return settings_of({"connections": [*tables]}, kinds, "data", Path("costs.toml"), text)


def test_settings_take_each_provider_by_its_own_kind():
    found = settings({"name": "a"}, {"name": "b", "provider": "acme_ai"}).connections
    assert [type(one).__name__ for one in found] == ["OpenAIConnection", "AcmeConnection"]
    assert [one.admin_key_env for one in found] == ["OPENAI_ADMIN_KEY", "ACME_AI_KEY"]


def test_an_unknown_provider_is_refused_with_the_known_ones_and_its_line():
    text = '[[connections]]\nname = "a"\n[[connections]]\nname = "b"\nprovider = "acme"\n'
    with pytest.raises(SettingsError) as refused:
        settings({"name": "a"}, {"name": "b", "provider": "acme"}, text=text)
    assert str(refused.value).startswith(
        "costs.toml, line 5: [[connections]] provider is not a known provider; did you mean "
        f"'acme_ai'? Known providers: {', '.join(one.name for one in registry.PROVIDERS)}."
    )


def test_its_dollars_are_exact_to_the_eighteenth_digit():
    assert USD[OTHER_DAY] * 10**17 == Decimal(99999999999999999)
