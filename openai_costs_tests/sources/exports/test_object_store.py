"""Exports in an object store: a real S3 server, with credentials of its own for the exports."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from upath import UPath

from openai_costs.sources import user_files
from openai_costs_tests.s3_server import BUCKET, EXPORTS, KEYS, OTHER_KEYS
from openai_costs_tests.sources.exports.files import Export, csv_of, row

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs_tests.s3_server import S3Server

VARIABLE = "STORE_OF_EXPORTS"


def test_exports_are_read_from_a_store_of_their_own_and_every_fault_is_a_sentence(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"endpoint_url": s3.address}
    owner = {"key": KEYS["AWS_ACCESS_KEY_ID"], "secret": KEYS["AWS_SECRET_ACCESS_KEY"]}
    store = UPath(f"s3://{EXPORTS}", **known, **owner)
    store.fs.mkdir(EXPORTS)
    for name, usd in {"2026-10/part-1.csv": "3", "2026-11/part-1.csv": "1"}.items():
        store.fs.pipe_file(f"{EXPORTS}/{name}", csv_of(row(f"{name[:7]}-02", usd)))
    monkeypatch.setenv(VARIABLE, json.dumps({**known, **OTHER_KEYS}))

    def read(files: str) -> tuple[str, dict[str, Any]]:
        settings = {"store_options_env": VARIABLE}
        export = Export(tmp_path / str(len([*tmp_path.iterdir()])), files, settings_of=settings)
        failed = export.read()
        return failed, {} if failed else export.usd

    both = {"2026-10-02": Decimal(3), "2026-11-02": Decimal(1)}
    assert read(f"s3://{EXPORTS}/") == ("", both)
    assert read(f"s3://{EXPORTS}/2026-*/part-?.csv") == ("", both)
    assert "names no bucket" in read("s3://ex*/2026-10/*.csv")[0]
    assert "may not be listed by this process" in read(f"s3://{BUCKET}/**/*.csv")[0]
    _refuses_a_file_that_changes(store / "2026-11" / "part-1.csv")
    monkeypatch.setenv(VARIABLE, json.dumps({**known, **owner}))
    assert "no bucket elsewhere" in read("s3://elsewhere/**/*.csv")[0]
    monkeypatch.setenv(VARIABLE, "AKIA")
    assert read(f"s3://{EXPORTS}/")[0].endswith('{"key": "...", "secret": "..."}.')


def _refuses_a_file_that_changes(file: UPath) -> None:
    assert file.fs.ls(file.parent.path)  # as a reading begins: with what is there
    before = user_files.version(file)
    other = UPath(str(file), **file.storage_options, skip_instance_cache=True)
    other.fs.pipe_file(other.path, csv_of(row("2026-11-02", "4")))
    with pytest.raises(user_files.FileReplaced, match="was replaced while it was read"):
        user_files.content(file)
    file.fs.invalidate_cache()
    assert b"4" in user_files.content(file)
    assert user_files.version(file) not in {before, ""}
