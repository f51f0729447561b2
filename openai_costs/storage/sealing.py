"""Makes a commit last: what it wrote is on the disk before it is trusted, and has a digest.

delta-rs leaves both to others. Without the first, a loss of power after a commit leaves a log that
names files without content; without the second, a bit that changes in a file may stay unseen, if
the file can still be read. A digest is a note beside the table: `_digests/<data file>.sha256`;
programs that read Delta tables pass over folders that begin with an underscore.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from urllib.parse import unquote

from upath import UPath

from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.fetched import local_copies
from openai_costs.storage.files import flush, flush_folder, is_local

DIGESTS = "_digests"
_SUFFIX = ".sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def seal(table: UPath, versions: Iterable[int]) -> None:
    """Have what some versions of a table added on the disk, and note the digests of its files.

    Args:
        table: The folder of the table.
        versions: The versions that were committed; of other writers too does no harm.

    Raises:
        OSError: The machine does not let it.
    """
    for version in versions:
        entry = table / "_delta_log" / f"{version:020}.json"
        with suppress(FileNotFoundError):  # shortened away, or replaced by a newer file, meanwhile
            files = [table / name for name in _added(entry.read_bytes())]
            if is_local(table):
                _flush([*files, entry])
            _note(table, files)


def noted_digest(file: UPath, table: UPath) -> str:
    """Return the digest that a data file was written with; empty where none is known."""
    try:
        noted = _note_of(file, table).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return noted if _DIGEST.fullmatch(noted) else ""


def has_changed(content: bytes, noted: str) -> bool:
    """Return whether content is another than the one that a digest was noted of."""
    return sha256(content).hexdigest() != noted


def refuse_changed(table: UPath, files: Iterable[UPath]) -> None:
    """Refuse to write the rows of data files into new ones, where a bit of them has changed.

    The new files would have digests of their own, and nothing would tell any more. An object store
    compares what it holds by itself.

    Raises:
        StorageFailed: One has changed since it was written; it is named.
    """
    for file in files if is_local(table) else ():
        noted = noted_digest(file, table)
        if noted and file.exists() and has_changed(file.read_bytes(), noted):
            raise StorageFailed(file, "it has changed since it was written: its digest differs")


def forget_digests(table: UPath, files: Iterable[str]) -> None:
    """Remove the notes of data files that are no longer there.

    Args:
        table: The folder of the table.
        files: The names of those that are there.
    """
    there, notes = set(files), table / DIGESTS
    for note in list(notes.iterdir()) if notes.is_dir() else ():
        if note.name.removesuffix(_SUFFIX) not in there:
            with suppress(FileNotFoundError):
                note.unlink()


def _added(entry: bytes) -> Iterator[str]:
    """Yield the paths of the data files that an entry of a log added."""
    for line in entry.splitlines():
        if b'"add"' in line and (added := json.loads(line).get("add")):
            yield unquote(added["path"])


def _flush(files: Iterable[UPath]) -> None:
    paths = [Path(str(file)) for file in files]
    for path in paths:
        flush(path)
    for folder in {path.parent for path in paths}:
        flush_folder(folder)


def _note(table: UPath, files: list[UPath]) -> None:
    if files and is_local(table):
        (table / DIGESTS).mkdir(exist_ok=True)
    for file, copy in zip(files, local_copies(files), strict=True):
        with Path(copy).open("rb") as content:
            digest = file_digest(content, "sha256").hexdigest()
        _note_of(file, table).write_text(digest)


def _note_of(file: UPath, table: UPath) -> UPath:
    return table / DIGESTS / f"{file.name}{_SUFFIX}"
