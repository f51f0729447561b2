"""The files that settings name: one, or all that match a pattern."""

from collections.abc import Iterable

from upath import UPath

from openai_costs.kernel.errors import FileRefused


def files(folder: UPath, pattern: str) -> list[UPath]:
    """Return the files that a name or a pattern matches, sorted.

    Raises:
        FileRefused: No file matches.
    """
    whole = folder / pattern
    if "*" not in pattern:
        found = [whole] if whole.is_file() else []
    else:
        found = sorted((one for one in whole.parent.glob(whole.name) if one.is_file()), key=str)
    if not found:
        raise FileRefused(str(whole), "does not exist", "Correct its name in openai_costs.toml.")
    return found


def all_files(folder: UPath, patterns: Iterable[str]) -> list[UPath]:
    """Return the files of several names and patterns, each once, in their order.

    Raises:
        FileRefused: One of them matches no file.
    """
    every = (file for pattern in patterns for file in files(folder, pattern))
    return list({str(file): file for file in every}.values())
