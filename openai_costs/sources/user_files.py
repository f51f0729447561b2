"""The files that settings name: one, or all that a pattern stands for, here or in an object store.

A pattern knows `*`, `?` and `**` (any number of folders). Every other character is itself, also a
bracket. Not here: what is in a file (text_rows.py).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from upath import UPath

from openai_costs.kernel.errors import FileRefused
from openai_costs.storage.store_faults import driver_to_install

ANY_FOLDERS = "**"
_PATTERN = re.compile(r"[*?]")
_REMEDY = "Correct its name in openai_costs.toml."
_NETWORK = "Check its name, the address of the store and the network, then run it again."
_RIGHTS = "Give this process the right to list and read it."
_AGAIN = "The next run reads the new one."
_TAGS: Final = ("ETag", "etag", "md5Hash", "content_md5")
"""What object stores call the version of a file."""

_STORES: Final = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az")
"""Where the beginning of a path is a bucket."""

NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})


class FileReplaced(FileRefused):
    """A file was replaced while it was read: the next run reads the new one."""

    is_retryable = True


def files(folder: UPath, pattern: str, options: Mapping[str, Any] = NO_OPTIONS) -> list[UPath]:
    """Return the files a name, a pattern or the URL of either stands for, sorted.

    Args:
        folder: Where names begin that are neither absolute nor a URL.
        pattern: Such as `spend.csv`, `dt=*/part-*.jsonl.gz` or `s3://bucket/**/*.json`.
        options: How its object store is reached, where the environment does not say.

    Raises:
        FileRefused: There is none, or the place cannot be reached.
    """
    shown = _shown(folder, pattern)
    try:
        root, parts = _begun(folder, pattern, options)
        _refuse_no_bucket_name(root, shown)
        found = sorted({str(one): one for one in _matching(root, parts)}.items())
        why = "" if found else _absence(root)
    except FileRefused:
        raise
    except Exception as broken:  # noqa: BLE001 - each object store's library has its own errors
        raise _unreachable(shown, broken) from None
    if not found:
        raise FileRefused(shown, why, _REMEDY)
    return [one for _, one in found]


def opened(folder: UPath, name: str, options: Mapping[str, Any] = NO_OPTIONS) -> UPath:
    """Return the path that a name or a URL stands for, which need not be there.

    Args:
        folder: Where names begin that are neither absolute nor a URL.
        name: Without a pattern, or with one as if it were a name.
        options: How its object store is reached, where the environment does not say.

    Raises:
        FileRefused: A URL begins with what no library that is installed can reach.
    """
    if "://" not in name:
        return folder / name
    try:
        found: UPath = UPath(name, **options)
    except Exception as broken:  # noqa: BLE001 - each object store's library has its own errors
        raise _unreachable(name, broken) from None
    return found


def _refuse_no_bucket_name(root: UPath, shown: str) -> None:
    """Refuse a URL that names no bucket; what was listed of a store before counts no more."""
    if isinstance(root, Path):
        return
    root.fs.invalidate_cache()
    if root.protocol in _STORES and (not _bucket(root) or _PATTERN.search(_bucket(root))):
        raise FileRefused(shown, "names no bucket", "A pattern begins behind its name.")


def _absence(root: UPath) -> str:
    """Return why nothing was found. That a bucket may be seen needs more rights than to list."""
    if isinstance(root, Path) or root.protocol not in _STORES or root.fs.exists(_bucket(root)):
        return "does not exist"
    return f"does not exist, and there is no bucket {_bucket(root)} that this process may see"


def _bucket(root: UPath) -> str:
    return str(root.path).strip("/").partition("/")[0]


def _unreachable(shown: str, broken: Exception) -> FileRefused:
    if isinstance(broken, PermissionError):
        return FileRefused(shown, f"may not be listed by this process ({broken})", _RIGHTS)
    if isinstance(broken, ImportError):
        remedy = f"{driver_to_install(broken)}, then run it again."
        return FileRefused(shown, f"cannot be reached ({broken})", remedy)
    is_of_network = "://" in shown and not isinstance(broken, ValueError)
    remedy = _NETWORK if is_of_network else _REMEDY
    return FileRefused(shown, f"cannot be reached ({type(broken).__name__}: {broken})", remedy)


def all_files(folder: UPath, patterns: Iterable[str]) -> list[UPath]:
    """Return the files of several names and patterns, each once, in their order.

    Raises:
        FileRefused: One of them stands for none, or cannot be reached.
    """
    every = (file for pattern in patterns for file in files(folder, pattern))
    found = {str(file): file for file in every}
    refuse_unwritable_names(found)
    return list(found.values())


def refuse_unwritable_names(names: Iterable[str]) -> None:
    """Refuse a name that is not UTF-8, as an old archive leaves it: no evidence can name it.

    Raises:
        FileRefused: There is one; it is shown with its bytes.
    """
    for name in names:
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        if shown != name:
            raise FileRefused(shown, "has a name that is not UTF-8", "Give it another name.")


def content(file: UPath) -> bytes:
    """Return what is in a file.

    Raises:
        FileRefused: It cannot be read.
    """
    return versioned(file)[0]


def versioned(file: UPath) -> tuple[bytes, str]:
    """Return what is in a file, and what its object store calls that version; empty on a disk.

    Raises:
        FileRefused: It cannot be read.
        FileReplaced: Another one took its place meanwhile.
    """
    try:
        before, found = _version(file), file.read_bytes()
        after = _version(file, is_cached=False)
    except Exception as broken:  # noqa: BLE001 - each object store's library has its own errors
        if type(broken).__name__ == "FileExpired":  # of s3fs, which asks for the version it listed
            raise FileReplaced(str(file), "was replaced while it was read", _AGAIN) from None
        why = f"cannot be read ({type(broken).__name__}: {broken})"
        raise FileRefused(str(file), why, "Let this process read it.") from None
    if before != after:
        raise FileReplaced(str(file), "was replaced while it was read", _AGAIN)
    return found, "" if isinstance(file, Path) else after


def version(file: UPath) -> str:
    """Return what changes with a file, without reading it; empty where nothing says it."""
    try:
        return _version(file)
    except Exception:  # noqa: BLE001 - each object store's library has its own errors
        return ""  # what is wrong is said where the file is read


def _version(file: UPath, *, is_cached: bool = True) -> str:
    """Return what changes with a file: a store's own word for it, or its time and size."""
    if isinstance(file, Path):
        stat = file.stat()
        return f"{stat.st_mtime_ns} {stat.st_size}"
    if not is_cached:
        file.fs.invalidate_cache(file.fs._parent(file.path))  # noqa: SLF001 - no other name for it
    info = file.fs.info(file.path)
    return str(next((info[key] for key in _TAGS if info.get(key)), "")).strip('"')


def _begun(folder: UPath, pattern: str, options: Mapping[str, Any]) -> tuple[UPath, Sequence[str]]:
    """Return the folder in which a pattern begins, and what is left of it, folder by folder."""
    head, scheme, rest = pattern.rpartition("://")
    parts = rest.split("/")
    named = next((n for n, part in enumerate(parts) if _PATTERN.search(part)), len(parts) - 1)
    start = head + scheme + "/".join(parts[:named])
    root = UPath(start, **options) if scheme else folder / (start or "/" * (named > 0))
    return root, [part for part in parts[named:] if part]


def _matching(folder: UPath, parts: Sequence[str]) -> Iterator[UPath]:
    first, rest = parts[0], parts[1:]
    if first == ANY_FOLDERS:
        yield from _matching(folder, rest or ["*"])
        for one in _entries(folder):
            if one.is_dir() and not one.is_symlink():  # a link may lead back up
                yield from _matching(one, parts)
        return
    named = [folder / first] if not _PATTERN.search(first) else _named(folder, first)
    for one in named:
        if rest and one.is_dir():
            yield from _matching(one, rest)
        elif not rest and one.is_file():
            yield one


def _named(folder: UPath, pattern: str) -> Iterator[UPath]:
    letters = {"*": ".*", "?": "."}
    wanted = "".join(letters.get(letter, re.escape(letter)) for letter in pattern)
    return (one for one in _entries(folder) if re.fullmatch(wanted, one.name, re.DOTALL))


def _entries(folder: UPath) -> Iterator[UPath]:
    return iter(folder.iterdir() if folder.is_dir() else ())


def _shown(folder: UPath, pattern: str) -> str:
    return pattern if "://" in pattern else str(folder / pattern)
