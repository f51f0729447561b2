"""A file as a table of text, or a sentence that says why it is none."""

import gzip
from pathlib import Path

import pytest

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.text_tables import text_table
from openai_costs_tests.sources.exports.files import Export, csv_of, row

ROWS = csv_of(row("2026-11-02", "1"), row("2026-11-03", "2"))
MACINTOSH = ROWS.replace(b"\r\n", b"\r")


def refused(name: str, content: bytes) -> str:
    with pytest.raises(FileRefused) as why:
        text_table(name, content)
    return str(why.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", MACINTOSH),
        ("a.csv", b"\xef\xbb\xbf" + MACINTOSH),
        ("a.csv", b'"a","b"\r"1","2"\r'),
        ("a.csv", b"\r\na,b\r1,2\r"),
        ("a.csv", b"a,b\r1,2\n3,4\n"),
        ("a.csv.gz", gzip.compress(MACINTOSH)),
    ],
)
def test_a_csv_with_lines_that_end_in_cr_alone_is_refused(name: str, content: bytes):
    why = refused(name, content)
    assert why.startswith(f"{name}: has lines that end in CR alone")
    assert "Save it as `CSV UTF-8`." in why


@pytest.mark.parametrize(("sign", "name"), [(b";", "semicolons"), (b"\t", "tabs")])
def test_a_csv_without_commas_is_refused_by_what_is_in_their_place(sign: bytes, name: str):
    assert f"has {name} between its columns" in refused("a.csv", ROWS.replace(b",", sign))
    with_commas = sign.join([b"a", b"b"]) + b"\n1,50" + sign + b"2\n"
    assert f"has {name} between its columns" in refused("a.csv", with_commas)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n"])
def test_lines_may_end_in_lf_with_cr_before_it(end: bytes):
    table = text_table("a.csv", b"a,b" + end + b"1,2" + end)
    assert table.rows(named=True) == [{"a": "1", "b": "2"}]


def test_a_month_is_as_it_was_when_its_file_is_saved_with_lines_that_end_in_cr_alone(
    tmp_path: Path,
):
    export = Export(tmp_path)
    export.put("bill.csv", ROWS)
    assert export.read() == ""
    before = export.usd
    export.put("bill.csv", MACINTOSH)
    assert "bill.csv: has lines that end in CR alone" in export.read()
    assert export.usd == before


@pytest.mark.parametrize(
    "heads", ["BilledCost,BilledCost", "BilledCost, BilledCost", "a,a_duplicated_0,a"]
)
def test_two_columns_of_one_name_are_refused(heads: str):
    cells = ",".join("1" for _ in heads.split(","))
    assert "has more than one column" in refused("a.csv", f"{heads}\n{cells}\n".encode())


def test_two_columns_that_differ_by_their_case_are_refused_where_they_are_used(tmp_path: Path):
    export = Export(tmp_path)
    for other, named in (("BILLEDCOST", "BILLEDCOST"), ("billedcost", "BilledCost")):
        export.put("bill.csv", csv_of(row("2026-11-02", "1", **{other: "2"})))
        assert f"bill.csv: has more than one column {named}." in export.read()
    export.put("bill.csv", csv_of(row("2026-11-02", "1", x_Team="a", x_team="b")))
    assert export.read() == ""


def test_columns_without_a_name_may_be_many():
    assert text_table("a.csv", b"a,, , \n1,,,\n")["a"].to_list() == ["1"]


def test_a_quote_that_does_not_end_in_the_first_line_is_refused_and_hides_no_row():
    assert "a quote may not end" in refused("a.csv", b'a,"b\n1,2\n')
    assert "a quote may not end" in refused("a.csv", b'a,"b\n1,2\n3,"c\n4,5\n')


def test_a_row_that_ends_early_is_named_by_its_number():
    assert refused("a.csv", b"a,b\n\n1,2\n3\n").startswith("a.csv, row 2: has 1 cells under 2")
