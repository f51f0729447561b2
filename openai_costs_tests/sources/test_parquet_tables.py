"""A Parquet file that cannot be read refuses its own connection, in a sentence."""

import base64
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.text_tables import text_table
from openai_costs.sources.text_rows import text_rows
from openai_costs_tests.sources.exports.files import Export, row

READERS = [text_table, lambda name, content: list(text_rows(name, content))]


def packed(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def in_an_offset() -> bytes:
    """Instants in a zone that Arrow knows and Polars does not: +05:30 in place of a name."""
    at = pl.Series("at", [datetime(2026, 11, 2, tzinfo=UTC)]).dt.convert_time_zone("Turkey")
    content = packed(at.to_frame())
    written = pl.read_parquet_metadata(io.BytesIO(content))["ARROW:schema"].encode()
    other = base64.b64encode(base64.b64decode(written).replace(b"Turkey", b"+05:30"))
    return content.replace(written, other)


@pytest.mark.parametrize("read", READERS)
def test_instants_in_an_offset_are_refused_before_polars_panics(
    read: Callable[[str, bytes], object], capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(FileRefused, match=r"a\.parquet: has instants in the time zone \+05:30"):
        read("a.parquet", in_an_offset())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("read", READERS)
def test_a_panic_of_polars_is_a_file_that_is_refused(read: Callable[[str, bytes], object]):
    beyond = pl.Series("day", [2**31 - 1], dtype=pl.Int32).cast(pl.Date)
    with pytest.raises(FileRefused, match=r"a\.parquet.*\(out-of-range date\)"):
        read("a.parquet", packed(beyond.to_frame()))


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_parquet_is_refused_in_one_line(read: Callable[[str, bytes], object]):
    with pytest.raises(FileRefused, match="is not readable Parquet") as why:
        read("a.parquet", b"day,usd")
    assert "\n" not in str(why.value)


def test_bytes_that_are_no_text_are_named_by_row_and_column():
    table = pl.DataFrame({"BilledCost": ["1", "2"], "x_Key": [b"\xc3\xbc", b"\xfc"]})
    with pytest.raises(FileRefused) as why:
        text_table("a.parquet", packed(table))
    assert str(why.value) == (
        "a.parquet, row 2, x_Key: cannot be written as text: it is Binary (invalid utf8). "
        "Leave the column out of the export, or have it exported as text. None of it was used."
    )


def test_a_span_of_time_is_text_in_iso_form():
    took = pl.DataFrame({"took": [timedelta(seconds=90)], "day": [date(2026, 11, 2)]})
    assert text_table("a.parquet", packed(took)).rows() == [("PT1M30S", "2026-11-02")]
    (found,) = text_rows("a.parquet", packed(took))
    assert found.cells == {"took": "PT1M30S", "day": "2026-11-02"}


def test_an_odd_column_of_one_connection_fails_that_connection_alone(tmp_path: Path):
    export = Export(tmp_path)
    odd = pl.DataFrame([row("2026-11-02", "1")]).with_columns(x_Key=pl.lit(b"\xfc"))
    export.put("bill.parquet", packed(odd))
    assert "bill.parquet, row 1, x_Key: cannot be written as text" in export.read()
    assert export.kept() == []
