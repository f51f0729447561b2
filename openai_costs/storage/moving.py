"""Files between this machine, where they are built and opened, and the store where they rest."""

from collections.abc import Callable, Mapping
from pathlib import Path

from upath import UPath

from openai_costs.storage.files import content_of, flush, flush_folder, is_local


def on_this_machine(file: UPath, scratch: Path) -> str:
    """Return where DuckDB can open a file: one of an object store is copied into a folder first."""
    if is_local(file) or not file.exists():
        return str(file)
    (scratch / file.name).write_bytes(content_of(file))
    return str(scratch / file.name)


def move_all_into_place(built: Mapping[UPath, Path], may_go_on: Callable[[], None]) -> None:
    """Make each target be its finished local file, one step for each; all of them last.

    Args:
        built: The files, by where they go.
        may_go_on: Is called before each step, and stops them with an error.
    """
    folders = set[Path]()
    for target, file in built.items():
        may_go_on()
        if is_local(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            flush(file)
            file.replace(str(target))
            folders.add(Path(str(target.parent)))
        else:
            target.fs.put_file(str(file), target.path)
            file.unlink()
    for folder in folders:
        flush_folder(folder)
