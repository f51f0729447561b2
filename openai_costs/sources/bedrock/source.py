"""Reads Bedrock's costs: from exports, or from Cost Explorer where there are none.

boto3 is imported where a request to Cost Explorer is about to leave, and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ReadFailed, SettingsError
from openai_costs.kernel.redaction import redacted
from openai_costs.settings.connection import Connection
from openai_costs.sources.bedrock import cost_explorer as ce
from openai_costs.sources.bedrock.rules import rules
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.exports.currency import USD
from openai_costs.sources.exports.evidence import CONTROL, LEFT_OUT, ROWS, Source, Sum
from openai_costs.sources.exports.kept_reads import DATASET
from openai_costs.sources.exports.reader import ExportReader
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead

ANSWER: Final = "answer"
"""The part that holds a day of both answers as boto3 gives them: amounts are text in it."""
THROTTLED: Final = ("ThrottlingException", "LimitExceededException", "RequestLimitExceeded")
NO_BOTO3: Final = "Cost Explorer needs boto3: pip install 'openai_costs[aws]'. Nothing was sent."


class AskedTooOften(ReadFailed):
    """Cost Explorer asks to wait, or cannot be reached."""

    is_retryable = True


class CostExplorer(Protocol):
    """The one operation of boto3's client that is used."""

    def get_cost_and_usage(self, **asked: object) -> Mapping[str, Any]:
        """Return an answer."""
        ...


def client(connection: BedrockConnection) -> CostExplorer:
    """Return boto3's client, which finds credentials by itself and sends nothing yet.

    Raises:
        SettingsError: boto3 is not installed, or the profile does not exist.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        raise SettingsError(f"Connection {connection.name!r}: {NO_BOTO3}") from None
    try:
        session = boto3.Session(profile_name=connection.profile, region_name=connection.region)
        once = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=120)
        made: CostExplorer = session.client("ce", config=once)
    except BotoCoreError as broken:
        raise SettingsError(f"Connection {connection.name!r}: {redacted(str(broken))}.") from None
    return made


class BedrockReader(RunReader):
    """Reads the costs of Bedrock on the bills of AWS accounts."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day as a complete read.

        Raises:
            ReadFailed: A file cannot be used, or Cost Explorer refuses or answers in part.
            SettingsError: Cost Explorer is asked for, and boto3 is not there.
        """
        if isinstance(connection, BedrockConnection) and connection.cost_explorer:
            yield from self._answers(connection, days, tell)
            return
        reader = ExportReader(self.settings, self.archive, self.clock, self.reach, rules=rules)
        yield from reader.read(connection, days, tell)

    def _answers(
        self, connection: BedrockConnection, days: DayRange, tell: Tell
    ) -> Iterator[DayRead]:
        read_at = self.clock()
        first = max(days.first, read_at.date() - timedelta(days=ce.MOST_DAYS))
        last = min(days.last, read_at.date())
        if first > last:
            return
        asked, name = DayRange(first, last), connection.name
        explorer = client(connection)
        whole = ce.periods(
            _ask(explorer, connection, ce.request(asked, ce.BY_SERVICE)), asked, name
        )
        services, split = ce.services_of(whole), dict[date, ce.Period]()
        if services:
            by_type = ce.request(asked, ce.BY_USAGE_TYPE, services)
            split = ce.periods(_ask(explorer, connection, by_type), asked, name)
        requests = 1 + bool(services)
        tell(f"{name}: asked Cost Explorer {requests} times for {asked}, at $0.01 each")
        _refuse_other_currencies(connection, whole)
        for day in asked:
            yield _day_read(connection, day, read_at, whole[day], split.get(day))


def _ask(
    explorer: CostExplorer, connection: BedrockConnection, asked: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return an answer.

    Raises:
        ReadFailed: There is none, with AWS's own message.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    about = f"Connection {connection.name!r}: Cost Explorer"
    try:
        return explorer.get_cost_and_usage(**asked)
    except ClientError as refused:
        code = refused.response.get("Error", {}).get("Code", "")
        text = f"{about} refused the request: {redacted(str(refused))}. Nothing was kept."
        if code in THROTTLED:
            raise AskedTooOften(text) from None
        raise ReadFailed(f"{text} It needs the permission {ce.ACTION}.") from None
    except BotoCoreError as broken:
        text = f"{about} could not be asked: {redacted(str(broken))}. Nothing was kept."
        raise AskedTooOften(text) from None


def _refuse_other_currencies(connection: Connection, whole: Mapping[date, ce.Period]) -> None:
    for day, period in whole.items():
        for one in period.bedrock:
            if one.cost[1] != USD:
                raise ReadFailed(
                    f"Connection {connection.name!r}: Cost Explorer has {day} in {one.cost[1]}. "
                    "Nothing was kept. Use an export, with currency and usd_per_unit."
                )


def _day_read(
    connection: BedrockConnection,
    day: date,
    read_at: datetime,
    whole: ce.Period,
    split: ce.Period | None,
) -> DayRead:
    """Return a day: its groups as rows, the services' dollars as control, and both as they came."""
    is_estimated = whole.is_estimated or (split is not None and split.is_estimated)
    source = Source(ce.ACTION, "", "", "", "", ce.COST_EXPLORER.name, str(is_estimated).lower())
    sums = [
        Sum(ce.ACTION, f"{day:%Y-%m}", one.cost[1], 1, one.cost[0], None) for one in whole.bedrock
    ]
    both: Sequence[ce.Period | None] = (whole, split)
    members = {
        CONTROL: msgspec.json.encode(sums),
        LEFT_OUT: b"[]",
        ANSWER: msgspec.json.encode(both),
        f"{ROWS}0": ce.rows(day, split).write_json().encode(),
    }
    asked = {name: (ce.ACTION, list[tuple[str, str]](), list[str]()) for name in members}
    asked[f"{ROWS}0"] = source.request()
    asked[ANSWER] = (ce.ACTION, [("Start", str(day))], list(ce.BY_USAGE_TYPE))
    return DayRead(connection.provider, connection.name, DATASET, day, read_at, asked, members)
