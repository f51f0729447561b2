"""Reads a gateway's files and keeps of them what is used: rows in our names, by UTC day.

The files themselves are not kept: a callback's line holds the prompt. Their digests are.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from upath import UPath

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import FileRefused
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.files.cells import Cells, by_day, cells
from openai_costs.sources.gateway.files.frames import meter_row, token
from openai_costs.sources.gateway.files.layouts import (
    LAYOUTS,
    METER,
    NAME,
    REGISTRY,
    TOKENS,
    Layout,
)
from openai_costs.sources.provider import Tell
from openai_costs.sources.text_rows import text_rows
from openai_costs.sources.user_files import all_files
from openai_costs.storage.archive import DayRead

Digests = list[tuple[str, str]]


@dataclass(frozen=True)
class GatewayFiles:
    """Reads the files that settings name.

    Args:
        gateway: Which files, and what their columns are called.
        folder: Where names begin that are not absolute.
        clock: Tells the time.
    """

    gateway: Gateway
    folder: UPath
    clock: Clock

    def registry(self, today: date, tell: Tell) -> Iterator[DayRead]:
        """Yield the tokens of the registry files, as one read of today.

        Raises:
            FileRefused: A file is not there, or a line of it cannot be used.
        """
        if self.gateway.token_files:
            layout = TOKENS.with_columns(self.gateway.token_columns)
            rows, digests = self._read(self.gateway.token_files, layout)
            for row in rows:
                token(row)
            yield self._kept(REGISTRY, today, rows, digests)
            tell(f"{self.gateway.name}: {len(rows)} tokens in {len(digests)} files")

    def meter(self, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield what the files say of each of some days.

        A day between the first and the last of the files without a row was free of requests; a day
        behind the last is not delivered yet, and not yielded.

        Raises:
            FileRefused: A file is not there, or a line of it cannot be used.
        """
        if self.gateway.spend_files:
            layout = LAYOUTS[self.gateway.spend_layout].with_columns(self.gateway.spend_columns)
            rows, digests = self._read(self.gateway.spend_files, layout)
            for row in rows:
                meter_row(row)
            found = by_day(rows)
            for day in days:
                if found and min(found) <= day <= max(found):
                    yield self._kept(METER, day, found.get(day, []), digests)
            tell(f"{self.gateway.name}: {len(rows)} metered rows in {len(digests)} files")

    def _read(self, patterns: Sequence[str], layout: Layout) -> tuple[list[Cells], Digests]:
        """Return the rows of all files, and what proves which files they were."""
        rows: list[Cells] = []
        digests: Digests = []
        for file in all_files(self.folder, patterns):
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            found = list(cells(text_rows(file.name, content), layout))
            copies = [name for name, known in digests if known == digest]
            if copies and found:
                raise FileRefused(file.name, f"is a copy of {copies[0]}", "Take one of them away.")
            digests.append((file.name, digest))
            rows += found
        return rows, digests

    def _kept(self, dataset: str, day: date, rows: list[Cells], digests: Digests) -> DayRead:
        return DayRead(
            provider=NAME,
            connection=self.gateway.name,
            dataset=dataset,
            day=day,
            read_at=self.clock(),
            requests={"rows": (dataset, digests, [])},
            bodies={"rows": msgspec.json.encode(rows)},
        )
