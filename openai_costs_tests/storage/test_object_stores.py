"""What the lake asks of an object store, with stores that keep the promise and stores that do not.

Not here: a home on a real S3 server (test_home_on_s3.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.storage.object_stores import StoreUnsafe, refuse_unsafe_store, store_options

if TYPE_CHECKING:
    from pathlib import Path


class StoreUnderTest:
    """A store that fsspec reaches: what it does with a write that must not replace."""

    def __init__(self, *, refuses: type[Exception] | None) -> None:
        self.names: set[str] = set()
        self._refuses = refuses

    def pipe_file(self, path: str, _content: bytes, mode: str = "overwrite") -> None:
        if mode == "create" and path in self.names and self._refuses:
            raise self._refuses
        self.names.add(path)

    def rm_file(self, path: str) -> None:
        self.names.remove(path)

    def exists(self, path: str) -> bool:
        return path in self.names


class ClosedStore(StoreUnderTest):
    """A store without the right to write."""

    def pipe_file(self, path: str, _content: bytes, mode: str = "overwrite") -> None:
        raise PermissionError(f"Access Denied: {mode} {path}")


class DriverError(Exception):
    """What the driver of a store raises for an answer that it does not know."""


class OlderStore(StoreUnderTest):
    """A store that answers a conditional write with an error of its own, also the first one."""

    def pipe_file(self, path: str, _content: bytes, mode: str = "overwrite") -> None:
        if mode == "create" and self._refuses:
            raise self._refuses("A header you provided is not implemented.")
        self.names.add(path)


class Place:
    """A folder on such a store."""

    protocol = "s3"

    def __init__(self, store: StoreUnderTest) -> None:
        self.fs, self.path = store, "bucket/lake"

    def __truediv__(self, _name: str) -> Place:
        return self

    def __str__(self) -> str:
        return "s3://bucket/lake"


@pytest.mark.parametrize("refusal", [FileExistsError, OSError])
def test_a_store_that_refuses_the_second_write_of_a_name_is_trusted(
    refusal: type[Exception],
) -> None:
    store = StoreUnderTest(refuses=refusal)
    refuse_unsafe_store(Place(store))  # type: ignore[arg-type]
    refuse_unsafe_store(Place(store))  # type: ignore[arg-type]
    assert store.names == {"bucket/lake"}


def test_a_missing_right_to_write_is_reported_as_such() -> None:
    with pytest.raises(PermissionError, match="Access Denied"):
        refuse_unsafe_store(Place(ClosedStore(refuses=None)))  # type: ignore[arg-type]


def test_a_store_that_ignores_the_condition_is_refused_in_a_sentence() -> None:
    with pytest.raises(StoreUnsafe, match="does not support conditional writes, so") as refused:
        refuse_unsafe_store(Place(StoreUnderTest(refuses=None)))  # type: ignore[arg-type]
    assert str(refused.value).startswith("s3://bucket/lake: this object store")


@pytest.mark.parametrize("answer", [NotImplementedError, OSError, DriverError])
def test_a_store_that_does_not_know_the_condition_is_refused_with_its_own_words(
    answer: type[Exception],
) -> None:
    store = OlderStore(refuses=answer)
    with pytest.raises(
        StoreUnsafe, match=r"writes \(A header you provided is not implemented\), so"
    ):
        refuse_unsafe_store(Place(store))  # type: ignore[arg-type]
    assert store.names == set()


def test_a_local_home_needs_no_options_and_no_trial(tmp_path: Path) -> None:
    assert store_options(UPath(tmp_path)) == {}
    refuse_unsafe_store(UPath(tmp_path))
    assert list(tmp_path.iterdir()) == []
