"""Each example of docs/gateway-files.md does what the page says, to the last digit."""

from __future__ import annotations

import gzip
import re
import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
import zstandard
from upath import UPath

import openai_costs
from openai_costs.kernel.days import DayRange
from openai_costs.questions.prices.list_value import at_list_price
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.files.frames import meter_rows
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.metering import day_rows, metered
from openai_costs.storage.archive import Archive
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs_tests.sources.gateway.litellm.proxy import kept

PAGE: Final = Path(openai_costs.__file__).parent.parent / "docs" / "gateway-files.md"
NOW: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAYS: Final = DayRange(date(2026, 11, 1), date(2026, 11, 30))
SHOWN: Final = (
    *("day", "token_id", "model", "num_model_requests", "input_tokens"),
    *("input_cached_tokens", "output_tokens", "metered_usd"),
)
FILES: Final = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)```", re.MULTILINE | re.DOTALL)
PACKED: Final = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}

# Dollars, input and output tokens, and requests of each example; None where the export has none.
SUMS: Final[dict[str, tuple[str, int | None, int | None, int | None]]] = {
    "LiteLLM: callback lines": ("0.0004932", 2_200, 400, 3),
    "LiteLLM: callback to a bucket": ("0.0002832", 1_200, 300, 1),
    "LiteLLM: daily export": ("0.01096576", 7_226, 1_840, 9),
    "Portkey": ("0.00075", 3_000, 500, 2),
    "Helicone": ("0.000645", 4_000, 200, 2),
    "Langfuse": ("0.46521", 3_001_000, 150_100, 2),
    "Cloudflare: Logpush": ("0.00075", None, None, None),
    "Cloudflare: logs API": ("0.00075", 3_000, 500, 1),
    "Kong": ("0.000645", 4_000, 200, 2),
    "OpenRouter": ("0.002745", 4_500, 240, 2),
    "Azure API Management": ("0.9", 4_000_000, 500_000, 2),
    "OpenTelemetry GenAI": ("0.975", 3_000_000, 1_000_000, 1),
}
ESTIMATED: Final = ("Azure API Management", "OpenTelemetry GenAI")


def sections() -> dict[str, str]:
    """The examples of the page by their headings: those that show settings."""
    found = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        name: text for name, text in zip(found[::2], found[1::2], strict=True) if "```toml" in text
    }


def read(example: str, folder: Path) -> pl.DataFrame:
    """Run an example: its files in a folder, its settings, and what becomes of them."""
    text = sections()[example]
    (settings,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    for name, content in re.findall(
        r"^`([^`\n]+)`:\n\n```\w+\n(.*?)```", text, re.MULTILINE | re.DOTALL
    ):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        packed = PACKED.get(name.rpartition(".")[2], bytes)
        file.write_bytes(packed(content.encode()))
    gateway = Gateway.model_validate(tomllib.loads(settings)["gateway"])
    reader = GatewayFiles(gateway, UPath(folder), lambda: NOW, Archive(UPath(folder)))
    reads = list(reader.meter(DAYS, lambda _line: None))
    assert [one.absent for one in reads if one.absent] == []
    days = [day_rows(Slice("gateway", one.day), meter_rows(kept(one))) for one in reads]
    made = at_list_price(metered(pl.concat(days)))
    assert GatewaySpend.broken_rules(made) == []
    return made


def shown(value: Any) -> str:  # noqa: ANN401 - a cell of any column
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if value else "0"
    return str(value)


def test_every_example_of_the_page_is_known_here() -> None:
    assert set(sections()) == set(SUMS)


@pytest.mark.parametrize("example", SUMS)
def test_an_example_gives_the_rows_that_stand_below_it(example: str, tmp_path: Path) -> None:
    table = sections()[example].rpartition("|---|---|---|---|---|---|---|---|\n")[2]
    rows = [line.strip("| \n").split(" | ") for line in table.strip().splitlines()]
    made = read(example, tmp_path).sort("day", "token_id", "model", nulls_last=False)
    assert [[shown(cell) for cell in row] for row in made.select(SHOWN).iter_rows()] == rows


@pytest.mark.parametrize("example", SUMS)
def test_an_example_adds_up_to_the_dollar_and_the_token(example: str, tmp_path: Path) -> None:
    usd, *counts = SUMS[example]
    made = read(example, tmp_path)
    assert made["metered_usd"].sum() == Decimal(usd)
    sums = [
        made[name].sum() if made[name].is_not_null().any() else None
        for name in ("input_tokens", "output_tokens", "num_model_requests")
    ]
    assert sums == counts
    assert made["unpriced_tokens"].sum() == 0


@pytest.mark.parametrize("example", SUMS)
def test_only_an_example_without_dollars_is_an_estimate(example: str, tmp_path: Path) -> None:
    basis = "estimated" if example in ESTIMATED else "metered"
    assert set(read(example, tmp_path)["cost_basis"]) == {basis}


def test_the_settings_of_a_meter_file_are_on_the_page_with_their_defaults() -> None:
    listed = re.findall(r"^\| `(spend_\w+)` \| `?([^`|]*?)`? \|", PAGE.read_text(), re.MULTILINE)
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Gateway.model_fields.items()
        if name.startswith("spend_")
    }
    spelled = {"": "none", False: "false"}
    assert dict(listed) == {
        name: spelled.get(value, str(value)) if isinstance(value, (str, bool)) else str(value)
        for name, value in defaults.items()
    }
