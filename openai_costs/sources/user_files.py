"""The files that settings name: one, or all that a pattern stands for, here or in an object store.

A pattern knows `*`, `?` and `**` (any number of folders). Every other character is itself, also a
bracket. Not here: what is in a file (text_rows.py).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from upath import UPath

from openai_costs.kernel.errors import FileRefused

ANY_FOLDERS = "**"
_PATTERN = re.compile(r"[*?]")
_REMEDY = "Correct its name in openai_costs.toml."


def files(folder: UPath, pattern: str) -> list[UPath]:
    """Return the files a name, a pattern or the URL of either stands for, sorted.

    Args:
        folder: Where names begin that are neither absolute nor a URL.
        pattern: Such as `spend.csv`, `dt=*/part-*.jsonl.gz` or `s3://bucket/**/*.json`.

    Raises:
        FileRefused: There is none, or the place cannot be reached.
    """
    try:
        root, parts = _begun(folder, pattern)
        found = sorted({str(one): one for one in _matching(root, parts)}.items())
    except Exception as broken:  # noqa: BLE001 - each object store's library has its own errors
        why = f"cannot be reached ({type(broken).__name__}: {broken})"
        raise FileRefused(_shown(folder, pattern), why, _REMEDY) from None
    if not found:
        raise FileRefused(_shown(folder, pattern), "does not exist", _REMEDY)
    return [one for _, one in found]


def all_files(folder: UPath, patterns: Iterable[str]) -> list[UPath]:
    """Return the files of several names and patterns, each once, in their order.

    Raises:
        FileRefused: One of them stands for none, or cannot be reached.
    """
    every = (file for pattern in patterns for file in files(folder, pattern))
    return list({str(file): file for file in every}.values())


def content(file: UPath) -> bytes:
    """Return what is in a file.

    Raises:
        FileRefused: It cannot be read.
    """
    try:
        return file.read_bytes()
    except Exception as broken:  # noqa: BLE001 - each object store's library has its own errors
        why = f"cannot be read ({type(broken).__name__}: {broken})"
        raise FileRefused(str(file), why, "Let this process read it.") from None


def _begun(folder: UPath, pattern: str) -> tuple[UPath, Sequence[str]]:
    """Return the folder in which a pattern begins, and what is left of it, folder by folder."""
    head, scheme, rest = pattern.rpartition("://")
    parts = rest.split("/")
    named = next((n for n, part in enumerate(parts) if _PATTERN.search(part)), len(parts) - 1)
    start = head + scheme + "/".join(parts[:named])
    root = UPath(start) if scheme else folder / (start or "/" * (named > 0))
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
