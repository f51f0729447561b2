"""Goes on with what is kept of a connection under another name.

Raw pages move; the slices of the old name are removed from the lake, because they are made again
from the pages under the new one. Killed half way and called again, it goes on.
"""

from upath import UPath

from openai_costs.storage.files import files_below, remove_folder, replace_file
from openai_costs.storage.lake import Lake
from openai_costs.storage.read_names import SUFFIX, kept_files, numbered, read_at


def rename_connection(home: UPath, provider: str, old: str, new: str) -> None:
    """Keep all reads and notes of a connection under another name.

    A day that both have keeps all its reads; those of the old name are the older ones.
    """
    Lake(home).remove_connection(old)
    before, after = (home / "raw" / provider / name for name in (old, new))
    for folder in sorted({file.parent for file in files_below(before, SUFFIX)}, key=str):
        _merge(folder, after / str(folder.relative_to(before)))
    for note in files_below(before, ".json"):
        if not (after / note.name).exists():
            replace_file(after / note.name, note.read_bytes())
    remove_folder(before)


def _merge(old: UPath, new: UPath) -> None:
    """Put the reads of a day before those that another folder has of it."""
    before, after = kept_files(old), kept_files(new) if new.exists() else []
    for number, file in reversed(list(enumerate(after, len(before) + 1))):
        file.rename(new / numbered(number, read_at(file)))
    for number, file in enumerate(before, 1):
        replace_file(new / numbered(number, read_at(file)), file.read_bytes())
