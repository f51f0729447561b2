"""Small FOCUS exports of literal rows, and a connection that reads them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.settings.load import Settings
from openai_costs.sources.exports.diagnosis import diagnose
from openai_costs.sources.focus_file.assets import PAGES, control, ledger, rules
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.ingest import Source, ingest
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.withdrawal import withdraw

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from openai_costs.sources.provider import Diagnosis
    from openai_costs.storage.archive import DamagedRead

NOON: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAYS: Final = DayRange(date(2026, 10, 1), date(2026, 11, 28))


def row(day: str, billed: str, **more: str) -> dict[str, str]:
    """A charge of Vertex AI."""
    usual = {
        "BilledCost": billed,
        "ListCost": billed,
        "BillingAccountId": "0123-ABCD",
        "BillingCurrency": "USD",
        "BillingPeriodStart": f"{day[:7]}-01T00:00:00Z",
        "ChargePeriodStart": day if "T" in day else f"{day}T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": "Gemini 3.1 Pro Text Input",
        "ProviderName": "Google Cloud",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Vertex AI",
        "SubAccountId": "maps-prod",
    }
    return usual | more


def csv_of(*rows: dict[str, str]) -> bytes:
    """A CSV file of charges."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(head for one in rows for head in one)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def azure_manifest(ran_at: str, first: str, last: str, frame: str, *files: str) -> bytes:
    """The manifest of an export of Azure."""
    ran = {"submittedTime": ran_at, "startDate": f"{first}T00:00:00", "endDate": f"{last}T00:00:00"}
    blobs = [{"blobName": f"container/{one}"} for one in files]
    kind = {"timeFrame": frame}
    return json.dumps({"exportConfig": kind, "runInfo": ran, "blobs": blobs}).encode()


@dataclass
class Export:
    """A folder of files, and a connection that reads it."""

    home: Path
    files: str = "exports/"
    now: datetime = NOON
    settings_of: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    deleted_before: date | None = None
    withdrawn: set[date] = field(default_factory=set)
    """The days that the newest reading withdrew."""
    kept_days: DayRange = DAYS
    """The days whose kept reads are looked at."""

    def put(self, name: str, content: bytes) -> None:
        """Write a file below the folder."""
        file = self.home / "exports" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.home / "exports" / name).unlink()

    @property
    def connection(self) -> FocusConnection:
        settings = {"name": "cloud", "files": self.files, **self.settings_of}
        return FocusConnection.model_validate(settings).kept_from(self.deleted_before)

    @property
    def archive(self) -> Archive:
        return Archive(UPath(self.home))

    @property
    def settings(self) -> Settings:
        file = self.home / "openai_costs.toml"
        return Settings(home=str(self.home), config_file=file, connections=(self.connection,))

    def facts(self) -> list[Diagnosis]:
        """What the doctor says of the files."""
        return list(diagnose(rules, self.settings, self.connection, Reach(), self.now.date()))

    def read(self, days: DayRange = DAYS) -> str:
        """Read some days and keep them, as a run does; return why that failed, or nothing."""
        reader = PAGES.reader(self.settings, self.archive, lambda: self.now, Reach())
        source = Source("cloud", lambda tell: reader.read(self.connection, days, tell))
        done = ingest([source], self.archive, self.log.append)
        self.withdrawn = done.withdrawn.get("cloud", set())
        reads = {day: PAGES.reads(self.archive, self.connection, day) for day in self.withdrawn}
        withdraw(Lake(UPath(self.home)), "cloud", reads)
        return " ".join(map(str, done.failed.values()))

    def kept(self) -> list[KeptRead | DamagedRead]:
        """The newest kept read of each day."""
        return list(PAGES.newest(self.archive, self.connection, self.kept_days))

    def reads_of(self, day: str) -> int:
        """How many reads of a day are kept."""
        return len(PAGES.reads(self.archive, self.connection, date.fromisoformat(day)))

    @property
    def ledger(self) -> pl.DataFrame:
        """core.spend of what is kept."""
        (batch,) = ledger(self.kept(), self.connection)
        assert batch.refused == {}
        return batch.frame

    @property
    def control(self) -> pl.DataFrame:
        """core.spend_control of what is kept."""
        (batch,) = control(self.kept(), self.connection, None)  # type: ignore[arg-type]  # not used
        return batch.frame

    @property
    def usd(self) -> dict[str, Decimal]:
        """The dollars of each day by the ledger, which must be those of its control total."""
        sums: dict[str, Decimal] = {}
        for day, usd in self.ledger.select("day", "billed_usd").iter_rows():
            sums[str(day)] = sums.get(str(day), Decimal(0)) + usd
        control = self.control.select("day", "billed_usd").iter_rows()
        totals = {str(day): usd for day, usd in control}
        assert {day: sums.get(day, Decimal(0)) for day in totals} == totals
        return {day: usd for day, usd in totals.items() if usd or day in sums}
