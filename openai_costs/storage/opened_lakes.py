"""What a thread has open of the lakes it works on, so that nothing is opened twice.

A command asks one lake in many places, each by a `Lake` of its own. What is open follows what other
processes commit (delta.py). Not here: what a lake is asked (lake.py).
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

from upath import UPath

from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.slice_rows import SliceRows
from openai_costs.storage.stored_batches import WholeTables
from openai_costs.storage.stored_slices import StoredSlices

MOST = 4
"""Lakes that a thread keeps open; most work on one."""


class OpenedLake(NamedTuple):
    """The tables of a lake, which slices they hold, their rows, and the tables read whole."""

    tables: DeltaTables
    slices: StoredSlices
    rows: SliceRows
    whole: WholeTables


class _Opened(threading.local):
    """By place, the one used last at the end. A table is brought up to date by one thread."""

    def __init__(self) -> None:
        self.lakes: OrderedDict[str, OpenedLake] = OrderedDict()


_opened = _Opened()


def opened(root: UPath) -> OpenedLake:
    """Return what this thread has open of the lake at a place."""
    place = str(root)
    if place not in _opened.lakes:
        tables = DeltaTables(root)
        _opened.lakes[place] = OpenedLake(
            tables, StoredSlices(tables), SliceRows(tables), WholeTables(tables)
        )
    _opened.lakes.move_to_end(place)
    if len(_opened.lakes) > MOST:
        _opened.lakes.popitem(last=False)
    return _opened.lakes[place]


def close_all() -> None:
    """Close what this thread has open, as the end of a process does."""
    _opened.lakes.clear()
