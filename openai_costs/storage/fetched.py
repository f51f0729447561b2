"""Data files of an object store as files of this machine, fetched at their first use.

A data file of a table never changes, so what was fetched once is right for as long as the process
lives, and every question after the first costs no request. Not here: what is in them.
"""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from upath import UPath

from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.files import is_local

MOST_BYTES = 4 * 1024**3
UNUSED_SECONDS = 600.0
"""Files that no question needed for so long are removed, when all together are larger."""


class _Cache:
    """The files that a process has fetched, in a temporary folder that goes with it."""

    def __init__(self) -> None:
        self.process, self._held = os.getpid(), TemporaryDirectory(prefix="openai_costs-")
        self._folder, self._used = Path(self._held.name), dict[str, float]()
        self._lock = threading.Lock()

    def get(self, paths: Sequence[UPath]) -> list[str]:
        names = [sha256(str(path).encode()).hexdigest() for path in paths]
        with self._lock:
            self._used |= dict.fromkeys(names, time.monotonic())
            missing = {
                name: path
                for name, path in zip(names, paths, strict=True)
                if not self._place(name).exists()
            }
            if missing:
                self._make_room()
                self._fetch(missing)
        return [str(self._place(name)) for name in names]

    def _fetch(self, missing: dict[str, UPath]) -> None:
        half = {name: self._folder / f"{uuid4().hex}.tmp" for name in missing}
        store = next(iter(missing.values())).fs
        try:
            store.get([one.path for one in missing.values()], [str(one) for one in half.values()])
        except FileNotFoundError as lost:
            folder = next(iter(missing.values())).parent
            raise StorageFailed(folder, f"a data file is missing ({lost})") from None
        for name, file in half.items():
            file.replace(self._place(name))

    def _make_room(self) -> None:
        held = sum(file.stat().st_size for file in self._folder.glob("*.parquet"))
        if held < MOST_BYTES:
            return
        for name, used in list(self._used.items()):
            if time.monotonic() - used > UNUSED_SECONDS:
                with suppress(FileNotFoundError):
                    self._place(name).unlink()
                del self._used[name]

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"


_caches: list[_Cache] = []
_making = threading.Lock()


def local_copies(paths: Sequence[UPath]) -> list[str]:
    """Return where files can be read on this machine, in their order: where they are, or copies.

    Raises:
        StorageFailed: One is missing.
        OSError: The store does not answer.
    """
    if not paths or is_local(paths[0]):
        return [str(path) for path in paths]
    with _making:
        if not _caches or _caches[-1].process != os.getpid():
            _caches.append(_Cache())  # a fork has its own, and leaves the folder of the other
        cache = _caches[-1]
    return cache.get(paths)
