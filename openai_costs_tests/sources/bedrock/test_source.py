"""Bedrock by exports and by Cost Explorer: what is read, asked, refused and never counted twice."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.stub import Stubber
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ReadFailed, SettingsError
from openai_costs.sample.bedrock.exports import PAYER, exports
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.settings.load import Settings
from openai_costs.sources.accounts import Accounts
from openai_costs.sources.bedrock import source
from openai_costs.sources.bedrock.assets import BEDROCK
from openai_costs.sources.bedrock.diagnosis import diagnose
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.exports.notes import Notes, Seen, recall, remember
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.archive import Archive, DayRead, KeptRead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAYS: Final = DayRange(date(2026, 11, 19), date(2026, 11, 20))
EDITION: Final = "Claude Haiku 4.5 (Amazon Bedrock Edition)"
COST_EXPLORER: Final = BedrockConnection(name="aws", cost_explorer=True)


def group(usd: str, *keys: str) -> dict[str, Any]:
    metrics = {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}
    return {"Keys": list(keys), "Metrics": metrics}


def answer(*days: tuple[str, bool, list[dict[str, Any]]], **more: str) -> dict[str, Any]:
    found = [
        {"TimePeriod": {"Start": day, "End": day}, "Total": {}, "Groups": groups, "Estimated": est}
        for day, est, groups in days
    ]
    return {"ResultsByTime": found, **more}


BY_SERVICE: Final = answer(
    ("2026-11-19", False, [group("0.3", "Amazon Bedrock"), group("9", "Amazon S3")]),
    ("2026-11-20", True, [group("0.1", "Amazon Bedrock"), group("0.55", EDITION)]),
)
BY_TYPE: Final = answer(
    ("2026-11-19", False, [group("0.3", "Amazon Bedrock", "USE1-NovaLite-input-tokens")]),
    (
        "2026-11-20",
        True,
        [
            group("0.1", "Amazon Bedrock", "USE1-NovaLite-input-tokens"),
            group("0.55", EDITION, "USE1-MP:USE1_InputTokenCount-Units"),
        ],
    ),
)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """AWS's own client without a network."""
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    client = boto3.client("ce", region_name="us-east-1", **keys)
    monkeypatch.setattr(source, "client", lambda _connection: client)
    with Stubber(client) as stubber:
        yield stubber


def settings(home: Path, *connections: Any) -> Settings:  # noqa: ANN401 - of any kind
    return Settings(home=str(home), config_file=home / "none.toml", connections=connections)


def read(home: Path, connection: BedrockConnection, days: DayRange = DAYS) -> list[DayRead]:
    archive = Archive(UPath(home))
    reader = BEDROCK.costs.pages.reader(settings(home, connection), archive, lambda: NOON, Reach())
    return list(reader.read(connection, days, silent))


def kept(reads: list[DayRead]) -> list[KeptRead]:
    return [KeptRead(UPath(str(one.day)), one.manifest(), dict(one.bodies)) for one in reads]


def test_cost_explorer_is_asked_twice_and_its_services_are_the_control_total(
    tmp_path: Path, stub: Stubber
):
    stub.add_response("get_cost_and_usage", BY_SERVICE)
    stub.add_response("get_cost_and_usage", BY_TYPE)
    found = kept(read(tmp_path, COST_EXPLORER))
    stub.assert_no_pending_responses()
    (batch,) = BEDROCK.costs.ledger(found, COST_EXPLORER)
    sums = {row["line_item"]: row["billed_usd"] for row in batch.frame.iter_rows(named=True)}
    assert sum(batch.frame["billed_usd"]) == Decimal("0.95")
    assert sums[f"{EDITION}, USE1-MP:USE1_InputTokenCount-Units"] == Decimal("0.55")
    assert BEDROCK.costs.control is not None
    (control,) = BEDROCK.costs.control(found, COST_EXPLORER, None)  # type: ignore[arg-type]
    rows = control.frame.select("day", "billed_usd", "is_settled").rows()
    assert rows == [
        (date(2026, 11, 19), Decimal("0.3"), True),
        (date(2026, 11, 20), Decimal("0.65"), False),
    ]


def test_without_bedrock_on_the_bill_one_request_is_enough(tmp_path: Path, stub: Stubber):
    none = answer(("2026-11-19", False, [group("9", "Amazon S3")]), ("2026-11-20", True, []))
    stub.add_response("get_cost_and_usage", none)
    (batch,) = BEDROCK.costs.ledger(kept(read(tmp_path, COST_EXPLORER)), COST_EXPLORER)
    assert batch.frame.is_empty()
    assert len(batch.read_at) == 2


def test_the_settings_say_whose_account_cost_explorer_answers_for(tmp_path: Path, stub: Stubber):
    archive, told = Archive(UPath(tmp_path)), list[str]()
    for name in ("former", "renamed"):
        stub.add_response("get_cost_and_usage", BY_SERVICE)
        stub.add_response("get_cost_and_usage", BY_TYPE)
        one = BedrockConnection(name=name, cost_explorer=True, organization_id="tidewater")
        accounts = Accounts(settings(tmp_path, one), archive, BEDROCK.costs)
        for admitted in accounts.checked(one, read(tmp_path, one), told.append):
            archive.keep(admitted)
    assert archive.connections("bedrock") == ["renamed"]
    (line,) = told
    assert line.startswith("renamed: reads tidewater, as former did, which left the settings.")


def test_further_pages_would_be_paid_and_are_refused(tmp_path: Path, stub: Stubber):
    stub.add_response("get_cost_and_usage", BY_SERVICE | {"NextPageToken": "more"})
    with pytest.raises(ReadFailed, match="has further pages, which would be paid requests"):
        read(tmp_path, COST_EXPLORER)


def test_a_refusal_is_quoted_with_the_permission_it_needs(tmp_path: Path, stub: Stubber):
    stub.add_client_error("get_cost_and_usage", "AccessDeniedException", "User is not authorized")
    with pytest.raises(ReadFailed, match=r"not authorized.* permission ce:GetCostAndUsage"):
        read(tmp_path, COST_EXPLORER)


def test_an_answer_of_other_days_is_refused(tmp_path: Path, stub: Stubber):
    stub.add_response("get_cost_and_usage", answer(("2026-11-19", False, [])))
    with pytest.raises(ReadFailed, match="is of other days"):
        read(tmp_path, COST_EXPLORER)


@pytest.mark.usefixtures("stub")
def test_the_doctor_names_the_price_and_sends_nothing(tmp_path: Path):
    (fact,) = diagnose(settings(tmp_path, COST_EXPLORER), COST_EXPLORER, Reach(), NOON.date())
    assert (fact.state, "each request costs $0.01" in fact.text) == ("OK", True)


def test_without_boto3_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(SettingsError, match=r"pip install 'openai_costs\[aws\]'"):
        source.client(COST_EXPLORER)


def test_cost_explorer_is_off_until_it_is_set_and_never_beside_exports():
    with pytest.raises(ValueError, match="which AWS charges for"):
        BedrockConnection(name="aws")
    with pytest.raises(ValueError, match="for an account without exports"):
        BedrockConnection(name="aws", files=("cur/",), cost_explorer=True)


def exported(home: Path) -> BedrockConnection:
    """The export of the sample company in a home."""
    for name, content in exports(sample_organisation(NOON.date(), days=9), NOON).items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return BedrockConnection(name="aws", files=("aws/",))


def test_a_cur_export_gives_bedrock_alone_with_principals_and_editions(tmp_path: Path):
    connection = exported(tmp_path)
    found = kept(read(tmp_path, connection, DayRange(date(2026, 11, 1), NOON.date())))
    (batch,) = BEDROCK.costs.ledger(found, connection)
    assert BEDROCK.costs.control is not None
    (control,) = BEDROCK.costs.control(found, connection, None)  # type: ignore[arg-type]
    assert sum(batch.frame["billed_usd"]) == sum(control.frame["billed_usd"]) > 100
    assert not batch.frame["line_item"].str.contains("Storage").any()
    assert "role/ModelGateway" in set(batch.frame["api_key_id"])
    assert "user/hyejin" in set(batch.frame["user_id"])
    assert {"anthropic", "amazon"} == set(batch.frame["provider"])
    assert set(batch.frame["organization_id"]) == {PAYER}


def test_a_kind_of_charge_that_is_new_to_us_is_an_adjustment_and_is_named(tmp_path: Path):
    head = (
        "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,"
        "line_item_line_item_type,line_item_unblended_cost,line_item_currency_code,"
        "line_item_product_code"
    )
    line = f"{PAYER},2026-11-01,2026-11-19,{{}},{{}},USD,AmazonBedrock"
    lines = [head, line.format("Usage", "1.25"), line.format("SppDiscount", "-0.25")]
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "bill.csv").write_text("\n".join(lines))
    connection = BedrockConnection(name="aws", files=("aws/",))
    found = kept(read(tmp_path, connection, DayRange(date(2026, 11, 1), NOON.date())))
    (batch,) = BEDROCK.costs.ledger(found, connection)
    assert set(batch.frame.select("charge_category", "billed_usd").rows()) == {
        ("usage", Decimal("1.25")),
        ("adjustment", Decimal("-0.25")),
    }
    assert list(batch.remarks.values()) == [
        "counted as adjustments, kinds of charges new to us: SppDiscount"
    ]


def test_an_account_that_focus_exports_count_already_is_refused(tmp_path: Path):
    connection, archive = exported(tmp_path), Archive(UPath(tmp_path))
    focus = FocusConnection(name="clouds", files=("focus/",))
    remember(archive, focus, Seen([], [PAYER]), {}, [])
    assert recall(archive, focus) == Notes(accounts=(PAYER,), files={})
    both = settings(tmp_path, focus, connection)
    reader = BEDROCK.costs.pages.reader(both, archive, lambda: NOON, Reach())
    with pytest.raises(ReadFailed, match=f"{PAYER} is counted by connection 'clouds' already"):
        list(reader.read(connection, DAYS, silent))
