"""The folder of a demo: it is emptied of what an earlier demo made, and of nothing else.

A list of the files that a demo made stays in the folder. A demo that did not finish has the list of
what was there before it. Not here: what a demo makes (demo.py).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sample.setup import is_demo
from openai_costs.storage.files import is_local, place, replace_file
from openai_costs.storage.home import FOLDERS, refuse_unwritable

LIST = ".demo-files.json"
EVIDENCE = ("raw", "lake", "record")
"""Folders in which data of another origin would be mixed with the demo's."""


class Files(msgspec.Struct, frozen=True):
    """The list, by paths below the folder.

    Args:
        before: What was there before the demo began.
        made: What the demo made; none while it runs, and none if it was stopped.
    """

    before: list[str]
    made: list[str] | None = None


def demo_folder(home: str) -> Path:
    """Return the folder that a person named for a demo.

    Raises:
        SettingsError: It is not on this machine.
    """
    if not is_local(place(home)):
        raise SettingsError(
            f"{home} is not on this machine, and a demo is. Choose a folder with --home; to fill a "
            "home on an object store, run `openai-costs backfill`."
        )
    return Path(home)


@contextmanager
def fresh(home: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Remove an earlier demo and write the company's settings and files; note what is made.

    Args:
        home: The folder.
        files: What stands in it before the first run, by path below it.

    Raises:
        SettingsError: The folder contains data that no demo made, or something else entirely.
    """
    if home.exists() and any(home.iterdir()) and not is_demo(home):
        raise SettingsError(
            f"{home} is not empty and contains no demo. Choose another folder with --home."
        )
    refuse_unwritable(place(str(home)))
    _remove(home, _made(home, files))
    before = _files(home) - set(files)
    _refuse_other_data(home, before)
    _note(home, Files(sorted(before)))
    for name, content in files.items():
        replace_file(place(str(home)) / name, content)
    yield
    _note(home, Files(sorted(before), sorted(_files(home) - before)))


def _made(home: Path, files: Mapping[str, bytes]) -> set[str]:
    """Return what an earlier demo made; without a list, only what it begins with."""
    there = _files(home)
    try:
        listed = msgspec.json.decode((home / LIST).read_bytes(), type=Files)
    except (FileNotFoundError, *UNREADABLE):
        return there & set(files)
    if listed.made is not None:
        return there & set(listed.made)
    ours = {name for name in there if name.partition("/")[0] in FOLDERS} | set(files)
    return (there & ours) - set(listed.before)


def _remove(home: Path, names: set[str]) -> None:
    """Remove files, and the folders that are empty without them."""
    for name in names:
        (home / name).unlink()
    for folder in sorted({parent for name in names for parent in Path(name).parents}, reverse=True):
        if folder != Path():
            with suppress(OSError):  # something else is in it
                (home / folder).rmdir()


def _refuse_other_data(home: Path, there: set[str]) -> None:
    other = sorted(name for name in there if name.partition("/")[0] in EVIDENCE)
    visible = [name for name in other if not Path(name).name.startswith(".")]
    if visible:
        raise SettingsError(
            f"{home} contains {counted(len(visible), 'data file')} that no demo made, such as "
            f"{visible[0]}. Nothing of it was deleted. Choose another folder with --home."
        )


def _files(home: Path) -> set[str]:
    return {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if (path.is_file() or path.is_symlink()) and path.name != LIST
    }


def _note(home: Path, files: Files) -> None:
    replace_file(place(str(home)) / LIST, msgspec.json.encode(files))
