"""What the last publication was made of: by it the next one replaces only what changed since.

It names the exact bytes of the database it belongs to. Where the two do not fit, because a process
was killed between them, or because the database was damaged or changed by others, nothing is
continued, and the database is built anew. Not here: what is replaced (filling.py).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from hashlib import file_digest
from pathlib import Path
from shutil import copyfile

import polars as pl
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.publish.empty_database import structure
from openai_costs.outputs.publish.last_publication import DATABASE, is_daily
from openai_costs.storage.encryption import DatabaseLocked
from openai_costs.storage.files import content_of, is_local, replace_file
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import PUBLICATION_STATE
from openai_costs.storage.slices import Slice, Written
from openai_costs.storage.sql import connected
from openai_costs.tables.contract import all_contracts

NO_COMMIT = (-1, "")
"""Of a publication by a version that did not note it: it is not continued."""
NO_VERSION = ("", -1)
"""Of a table that was never made."""


@dataclass(frozen=True)
class PublicationState:
    """What a publication was made of.

    Args:
        structure: Its tables, views, comments and software (`empty_database.structure`).
        newest_month: The month of the newest slice, as `2026-11`; empty where there is none.
        versions: The id and the version of each table of the lake.
        commit: The version of the log of slices, and the digest of that commit.
        kept: Slices with older rows than the lake: in flight, or withheld.
        copies: The mark of each Parquet file, by names such as `core.spend/2026-11`.
        digest: SHA-256 of the database.
    """

    structure: str
    newest_month: str
    versions: Mapping[str, tuple[str, int]]
    commit: tuple[int, str] = NO_COMMIT
    kept: Sequence[tuple[str, date]] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


def state_of(
    shown: Mapping[str, Written], commit: tuple[int, str], *, is_encrypted: bool
) -> PublicationState:
    """Return the state of a publication that is made of these versions of the tables.

    Args:
        shown: The versions.
        commit: The newest commit to the log of slices.
        is_encrypted: Whether its database is.
    """
    newest = [max(one.slices["day"]) for one in shown.values() if one.slices.height]
    return PublicationState(
        structure(is_encrypted=is_encrypted),
        f"{max(newest):%Y-%m}" if newest else "",
        {name: (one.table_id, one.version) for name, one in shown.items()},
        commit,
    )


def continued(
    home: UPath, lake: Lake, now: PublicationState, built: Path, key: SecretStr | None
) -> PublicationState | None:
    """Return the last state with a copy of its database in place; None: the next is built anew.

    Args:
        home: Whose publication it is.
        lake: Its lake.
        now: The state of the publication that is being made.
        built: Where the copy goes.
        key: What an encrypted one has to open with.
    """
    last = last_state(home)
    if last is None or not _continues(last, now) or not _contains(lake, last):
        return None
    try:
        _copied(home / DATABASE, built)
    except FileNotFoundError:
        return None
    is_sound = digest_of(built) == last.digest and (key is None or _opens(built, key))
    return last if is_sound else None


def last_state(home: UPath) -> PublicationState | None:
    """Return the state of the last publication; None where it cannot be read."""
    try:
        return _parsed(json.loads(content_of(home / PUBLICATION_STATE)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def unpublished(home: UPath, lake: Lake) -> list[Slice]:
    """Return the slices that were written after the last publication; all where there is none.

    Args:
        home: Whose publication it is.
        lake: Its lake.
    """
    last, found = last_state(home), set[Slice]()
    published = last.versions if last else {}
    for table in filter(is_daily, all_contracts()):
        shown = lake.written(table)
        table_id, version = published.get(table.full_name(), NO_VERSION)
        if (table_id, version) != (shown.table_id, shown.version):
            since = version if table_id == shown.table_id else -1
            found.update(Slice(*key) for key in newer(shown.slices, since))
    return sorted(found)


def is_as_published(lake: Lake, last: PublicationState | None) -> bool:
    """Return whether every table of a lake is in the version that was published last.

    Args:
        lake: The lake, frozen.
        last: The state of the last publication; None where it is not known.
    """
    if last is None or last.kept or not _contains(lake, last):
        return False
    shown = ((table.full_name(), lake.written(table)) for table in all_contracts())
    return all(
        last.versions.get(name, NO_VERSION) == (one.table_id, one.version) for name, one in shown
    )


def newer(slices: pl.DataFrame, since: int) -> list[tuple[str, date]]:
    """Return the slices that are newer than a version, or of which that is not known."""
    is_newer = pl.col("version").is_null() | (pl.col("version") > since)
    found: list[tuple[str, date]] = slices.filter(is_newer).select("connection", "day").rows()
    return found


def note_state(home: UPath, state: PublicationState) -> None:
    """Write down what the publication that is in place now was made of."""
    kept = [(name, day.isoformat()) for name, day in state.kept]
    content = asdict(replace(state, kept=())) | {"kept": kept}
    replace_file(home / PUBLICATION_STATE, json.dumps(content, indent=1).encode())


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _continues(last: PublicationState, now: PublicationState) -> bool:
    """Return whether every table is the one that was published, in its version or a later one.

    With a new month everything is built anew: rows come to lie in order, and free blocks go.
    """
    if (last.structure, last.newest_month) != (now.structure, now.newest_month):
        return False
    return last.versions.keys() == now.versions.keys() and all(
        table_id in ("", now.versions[name][0]) and version <= now.versions[name][1]
        for name, (table_id, version) in last.versions.items()
    )


def _contains(lake: Lake, last: PublicationState) -> bool:
    """Return whether a lake is the one that was published, or went on from there.

    One that was put back from a backup has other rows in versions of the same number, so its log of
    slices has to contain the very commit that was the newest one then.
    """
    return last.commit != NO_COMMIT and lake.newest_commit(last.commit[0]) == last.commit


def _parsed(content: dict[str, object]) -> PublicationState:
    kept = [(str(name), date.fromisoformat(day)) for name, day in content["kept"]]  # type: ignore[attr-defined]
    versions = {name: (str(it), int(to)) for name, (it, to) in content["versions"].items()}  # type: ignore[attr-defined]
    copies = {name: str(mark) for name, mark in content["copies"].items()}  # type: ignore[attr-defined]
    texts = [str(content[name]) for name in ("structure", "newest_month", "digest")]
    version, digest = content.get("commit", NO_COMMIT)  # type: ignore[misc]
    commit = int(version), str(digest)  # type: ignore[has-type]
    return PublicationState(texts[0], texts[1], versions, commit, kept, copies, texts[2])


def _opens(built: Path, key: SecretStr) -> bool:
    try:
        with connected(str(built), read_only=True, key=key):
            return True
    except DatabaseLocked:
        return False


def _copied(file: UPath, to: Path) -> None:
    if is_local(file):
        copyfile(str(file), to)
    else:
        to.write_bytes(content_of(file))
