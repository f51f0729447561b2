"""No key is where it does not belong after a run of every provider that there is."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
import zstandard

from openai_costs.kernel.redaction import SECRETS
from openai_costs.sources.registry import connection_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs.storage.lake import Lake

KEYS: Final = (
    "sk-gateway-sample",
    *(kind.sample_key for kind in connection_kinds() if kind.sample_key),
)
HIDDEN: Final = re.compile(r"\*|\.\.\.|redacted|_XX")
"""What a provider itself leaves of a key in its lists."""
SHAPES: Final = re.compile("|".join(SECRETS).encode())


def contents(file: Path) -> Iterator[bytes]:
    """What a file holds, as it is and unpacked."""
    raw = file.read_bytes()
    yield raw
    if file.suffix == ".parquet":
        texts = pl.read_parquet(file, hive_partitioning=False).select(pl.col(pl.String))
        yield "\n".join(one for text in texts for one in text.drop_nulls().unique()).encode()
    if raw.startswith(zstandard.FRAME_HEADER):
        yield zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()


def secrets_in(content: bytes) -> set[str]:
    found = {key for key in KEYS if key.encode() in content}
    shapes = (one[0].decode() for one in SHAPES.finditer(content))
    return found | {one for one in shapes if not HIDDEN.search(one)}


def test_no_key_is_in_any_file_table_event_or_page_of_a_home(told_demo: tuple[Lake, str]) -> None:
    lake, said = told_demo
    home = Path(str(lake.root)).parent
    files = [one for one in home.rglob("*") if one.is_file()]
    kinds = {one.suffix for one in files}
    assert {".parquet", ".duckdb", ".html", ".zst"} <= kinds, kinds
    for file in files:
        for content in contents(file):
            assert secrets_in(content) == set(), file
    assert secrets_in(said.encode()) == set()
