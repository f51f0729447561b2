from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources import file_text
from openai_costs.sources.file_text import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = b"".join(b"2026-11-%02d,key_%d,0.0%d\n" % (n % 28 + 1, n, n) for n in range(9_000))
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "zstd": zstandard.ZstdCompressor(write_content_size=False).compress,
}


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_is_unpacked_also_where_it_was_appended_to(packing: str) -> None:
    pack = PACKED[packing]
    name = f"meter.csv.{packing}"
    assert unpacked(name, pack(ROWS)) == ("meter.csv", ROWS)
    assert unpacked(name, pack(ROWS) + pack(b"") + pack(ROWS[:99])) == (
        "meter.csv",
        ROWS + ROWS[:99],
    )


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("share", [0.001, 0.5, 0.99, 0.9999])
def test_a_packed_file_that_is_cut_is_refused_wherever_it_ends(packing: str, share: float) -> None:
    """A copy that is still under way would be read as a file with fewer rows."""
    whole = PACKED[packing](ROWS) * 2
    for first in (0, len(whole) // 2):  # in the first part that was written, and in the second
        cut = whole[: first + max(1, int(len(whole) // 2 * share))]
        with pytest.raises(FileRefused, match="is not whole, or not packed as"):
            unpacked(f"meter.csv.{packing}", cut)


@pytest.mark.parametrize("packing", PACKED)
def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(
    packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_text, "MOST_BYTES", len(ROWS) - 1)
    with pytest.raises(FileRefused, match="unpacks to more than"):
        unpacked(f"meter.csv.{packing}", PACKED[packing](ROWS))
