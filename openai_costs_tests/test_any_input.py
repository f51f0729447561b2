"""Whatever comes in is used or refused in a sentence: some inputs of each kind, or many if asked.

`OPENAI_COSTS_FUZZ=100000 .venv/bin/pytest openai_costs_tests/test_any_input.py` asks for more;
`OPENAI_COSTS_FUZZ=8500:100000` begins at input 8,500 where inputs have numbers (test_any_page.py).
With atheris (fuzz.py), `OPENAI_COSTS_ATHERIS=600` follows the code for so many seconds a door.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.settings import Directory, DirectoryFile, Gateway, Reading
from openai_costs.settings.load import load_settings
from openai_costs.settings.settings_file import content_of
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.openai.costs.frames import control_batches, ledger_batches
from openai_costs.sources.people.frames import Content, read_people
from openai_costs.sources.provider import silent
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.archive import Archive
from openai_costs_tests.org import HandClock
from openai_costs_tests.sources.openai.wire import ACME, DAY, bucket, kept

if TYPE_CHECKING:
    from pathlib import Path

_FIRST, _, _END = os.environ.get("OPENAI_COSTS_FUZZ", "150").rpartition(":")
INPUTS: Final = range(int(_FIRST or 0), int(_END))
SECONDS: Final = os.environ.get("OPENAI_COSTS_ATHERIS", "")
"""How long atheris looks behind each door; empty: not at all."""


def is_sentence(refused: Exception, about: str = "") -> None:
    """Whether a refusal is one of ours, ends as a sentence does, and names what it is about."""
    assert isinstance(refused, OpenAICostsError)
    assert str(refused).rstrip().endswith((".", "?", ")")), refused
    assert about in str(refused), refused


many = settings(
    max_examples=len(INPUTS),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD: Final = (
    *("", "0", "-1", "1e400", "NaN", "inf", "true", "null", "=1+1", "<script>alert(1)</script>"),
    *("\x00", "\u202e", "\ud7ff", "ada@acme.example", "2026-02-30", "9999-12-31", "0001-01-01"),
    *("'", '"', "\\", "\n", "\r\n", ",", ";", "[", "{", "]]", "#", "=", "..", "/", "%2e", "&#x3c;"),
)
texts = st.sampled_from(ODD) | st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

SETTINGS: Final = (
    *("[[connections]]", "[gateway]", "[reading]", "[[teams]]", "[[budgets]]", "[alerts]"),
    *("[[alerts.routes]]", "[[alerts.mutes]]", "[anomalies]", "[directory]", "[seats]"),
    *("[[gateway.upstreams]]", "[[anomalies.scopes]]", "[retention]", "[storage]", "[publish]"),
)
NAMES: Final = (
    *("name", "provider", "admin_key_env", "admin_key_file", "admin_key_command", "base_url"),
    *("start", "access", "litellm_url", "spend_files", "spend_columns", "limit_usd", "scope"),
    *("period", "trailing_days", "max_body_mb", "users", "projects", "until", "reason", "files"),
    *("channel", "url_env", "rules", "columns", "month_usd", "routes", "connections", "months"),
)
toml_values = st.one_of(
    st.sampled_from(("1", "-1", '"a"', "2026-01-31", "true", "[]", "{}", '["a", 1]', "1e999", "")),
    st.sampled_from(('"acme"', '"openai"', '"anthropic"', '"https://a.example/v1"', "0.5", "inf")),
    texts.map(json.dumps),
    texts,
)
lines = st.one_of(
    st.sampled_from(SETTINGS),
    st.builds("{} = {}".format, st.sampled_from(NAMES), toml_values),
    texts,
)


settings_texts = st.lists(lines, max_size=8).map("\n".join) | st.text(max_size=40)


def use_settings(file: Path, text: str) -> None:
    """Read a settings file that says a text."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_COSTS_CONFIG", str(file))
        try:
            load_settings(connection_kinds())
        except OpenAICostsError as refused:
            is_sentence(refused)


@many
@given(text=settings_texts)
@example(text="[" * 5_000)
@example(text="a = " + "[" * 5_000)
@example(text="[[connections]]\nname = 1979-05-27T07:32:00Z")
@example(text="[[connections]]\nprovider = {}")
def test_any_settings_file_is_used_or_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    use_settings(tmp_path / "openai_costs.toml", text)
    assert content_of(tmp_path / "nothing.toml") == ({}, "")


people_files = st.one_of(
    st.tuples(
        st.sampled_from(("people.json", "people.yaml", "catalog-info.yml", "scim.json")),
        values.map(lambda value: json.dumps(value, default=str).encode()),
    ),
    st.tuples(
        st.just("people.csv"),
        st.lists(st.lists(texts, max_size=5).map(",".join), max_size=5).map(
            lambda rows: "\n".join(["person_id,name,email,team,status", *rows]).encode()
        ),
    ),
    st.tuples(
        st.sampled_from(("people.csv", "people.yaml", "people.json", "people.csv.gz", "x.bin")),
        st.binary(max_size=60),
    ),
    st.tuples(st.just("people.yaml"), st.text(max_size=60).map(str.encode)),
)


def use_people(name: str, content: bytes) -> None:
    """Read a list of people."""
    try:
        read_people([Content(name, content, DirectoryFile(path=name))], Directory())
    except OpenAICostsError as refused:
        is_sentence(refused, name)


@many
@given(file=people_files)
def test_any_list_of_people_is_read_or_refused_in_a_sentence(file: tuple[str, bytes]) -> None:
    use_people(*file)


meter_cells = st.sampled_from(("2026-01-02", "1", "gpt-5", "0.5", "t-1")) | texts
meter_files = st.one_of(
    st.tuples(
        st.just("meter.csv"),
        st.lists(st.lists(meter_cells, min_size=3, max_size=6).map(",".join), max_size=5).map(
            lambda rows: "\n".join(["day,token_id,model,input_tokens,metered_usd", *rows]).encode()
        ),
    ),
    st.tuples(
        st.sampled_from(("meter.json", "meter.jsonl", "meter.log")),
        st.dictionaries(
            st.sampled_from(("day", "token_id", "model", "metered_usd", "input_tokens")), values
        ).map(lambda value: json.dumps(value, default=str).encode()),
    ),
    st.tuples(
        st.sampled_from(("meter.csv", "meter.jsonl", "meter.parquet", "meter.csv.gz", "m.zst")),
        st.binary(max_size=60),
    ),
)


def use_meter(folder: Path, name: str, content: bytes) -> None:
    """Read a meter file in a folder."""
    (folder / name).write_bytes(content)
    reader = GatewayFiles(
        Gateway(spend_files=(name,)), UPath(folder), HandClock(), Archive(UPath(folder))
    )
    day = date(2026, 1, 2)
    try:
        for _ in reader.meter(DayRange(day, day), silent):
            pass
    except OpenAICostsError as refused:
        is_sentence(refused, name)
    finally:
        (folder / name).unlink()


@many
@given(file=meter_files)
def test_any_meter_file_is_read_or_refused_in_a_sentence(
    tmp_path: Path, file: tuple[str, bytes]
) -> None:
    use_meter(tmp_path, *file)


amounts = st.one_of(
    st.none(),
    st.fixed_dictionaries({"value": values, "currency": st.sampled_from(("usd", "eur")) | values}),
    values,
)
results = st.fixed_dictionaries(
    {"object": st.just("organization.costs.result") | texts, "amount": amounts},
    optional=dict.fromkeys(("line_item", "project_id", "user_id", "organization_id"), values),
)


def page(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, default=str)


@many
@given(rows=st.lists(results, max_size=3), body=st.none() | texts)
def test_any_page_of_costs_is_read_or_refused_with_its_field(
    rows: list[dict[str, Any]], body: str | None
) -> None:
    content = body if body is not None else bucket(DAY, *map(page, rows))
    read = kept(content, control=content.encode("utf-8", "surrogatepass"))
    for batch in (*ledger_batches([read], ACME), *control_batches([read], Reading().grace)):
        for refused in batch.refused.values():
            is_sentence(refused)


@pytest.mark.skipif(not SECONDS, reason="looks for long: set OPENAI_COSTS_ATHERIS to its seconds")
@pytest.mark.parametrize("door", ["settings", "people", "meter", "pages"])
def test_what_reaches_more_of_the_code_is_used_or_refused_in_a_sentence(
    tmp_path: Path, door: str
) -> None:
    pytest.importorskip("atheris", reason="follows code: pip install atheris")
    command = [sys.executable, "-m", "openai_costs_tests.fuzz", door, f"-max_total_time={SECONDS}"]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, f"-artifact_prefix={tmp_path}/"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
