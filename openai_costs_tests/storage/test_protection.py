from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import fsspec
import pytest
from typer.testing import CliRunner
from upath import UPath

from openai_costs.cli.commands import app
from openai_costs.definitions import build_defs
from openai_costs.orchestration.jobs import PUBLISH
from openai_costs.settings.at_rest import Storage
from openai_costs.storage import protection
from openai_costs.storage.object_stores import store_options
from openai_costs.storage.protection import (
    NotEncrypted,
    ask_for_encryption,
    encrypted_by,
    refuse_unencrypted,
    store_encryption,
)
from openai_costs_tests.org import calm, house

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED = Storage(encryption="required")
WITH_KEY = Storage(encryption="required", kms_key_id="1234-abcd")


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fsspec.config, "conf", {})
    yield
    fsspec.get_filesystem_class("s3").clear_instance_cache()


class Store:
    """What a store answers about a file that was just written."""

    def __init__(self, **answer: str) -> None:
        self.answer, self.asked = answer, list[str]()

    def call_s3(self, method: str, **_more: str) -> dict[str, str]:
        self.asked.append(method)
        return self.answer


class Bucket:
    """A home on it."""

    protocol, path = "s3", "bucket/home/trial"

    def __init__(self, store: Store) -> None:
        self.fs, self.is_there = store, False

    def __truediv__(self, name: str) -> Bucket:
        return self

    def __str__(self) -> str:
        return "s3://bucket/home"

    def write_bytes(self, _content: bytes) -> None:
        self.is_there = True

    def unlink(self) -> None:
        self.is_there = False


def refused(storage: Storage, **answer: str) -> str:
    bucket: Any = Bucket(Store(**answer))
    try:
        refuse_unencrypted(bucket, storage)
    except NotEncrypted as sentence:
        return str(sentence)
    finally:
        assert bucket.fs.asked == ["head_object"]
        assert not bucket.is_there
    return ""


def test_a_store_that_confirms_is_used() -> None:
    assert not refused(REQUIRED, ServerSideEncryption="AES256")
    arn = "arn:aws:kms:eu-west-1:1:key/1234-abcd"
    assert not refused(WITH_KEY, ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)


def test_a_store_that_does_not_confirm_is_refused_with_what_it_answered() -> None:
    assert "was asked to encrypt (AES256) and did not confirm any. Nothing was" in refused(REQUIRED)
    assert "answered 'AES256'" in refused(WITH_KEY, ServerSideEncryption="AES256")
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:eu-west-1:1:key/other"}
    assert "answered 'aws:kms arn:aws:kms:eu-west-1:1:key/other'" in refused(WITH_KEY, **other)


def test_a_store_that_is_not_s3_is_never_asked_and_doctor_can_say_so() -> None:
    assert not store_encryption(UPath("memory://bucket/home"))


def test_every_write_asks_for_encryption_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ask_for_encryption(WITH_KEY)
    home = UPath("s3://bucket/home")
    assert home.fs.s3_additional_kwargs["ServerSideEncryption"] == "aws:kms"
    options = store_options(home)
    assert options["aws_server_side_encryption"] == "aws:kms"
    assert options["aws_sse_kms_key_id"] == "1234-abcd"


def test_nothing_is_asked_for_without_the_setting() -> None:
    ask_for_encryption(Storage())
    assert fsspec.config.conf == {}


def test_a_disk_that_nothing_says_is_encrypted_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "encrypted_by", lambda _home: "")
    settings = tmp_path / "openai_costs.toml"
    settings.write_text('[storage]\nencryption = "required"\n[[connections]]\nname = "acme"\n')
    monkeypatch.setenv("OPENAI_COSTS_CONFIG", str(settings))
    home = tmp_path / "home"
    for command in (["backfill"], ["report"], ["deliver"]):
        done = CliRunner().invoke(app, [*command, "--home", str(home)])
        assert isinstance(done.exception, NotEncrypted)
        assert "is on no encrypted file system. Nothing was written." in str(done.exception)
    assert not home.exists()


def test_a_disk_that_is_encrypted_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "encrypted_by", lambda _home: "dm-crypt")
    refuse_unencrypted(UPath(tmp_path), REQUIRED)


@pytest.mark.skipif(os.name != "posix", reason="reads Linux")
def test_memory_is_no_encrypted_disk() -> None:
    shared = Path("/dev/shm")  # noqa: S108 - nothing is written
    assert not shared.exists() or encrypted_by(UPath(shared / "home")) == ""


def test_a_run_of_dagster_is_refused_before_its_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "encrypted_by", lambda _home: "")
    settings = house(tmp_path / "home", "acme").settings
    required = settings.model_copy(update={"storage": REQUIRED})
    with calm(), pytest.raises(dg.DagsterResourceFunctionError) as refusal:
        build_defs(required).resolve_job_def(PUBLISH).execute_in_process()
    assert isinstance(refusal.value.__cause__, NotEncrypted)
    assert not (tmp_path / "home").exists()
