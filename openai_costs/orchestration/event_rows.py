"""The rows of events in Dagster's event log: what the events of a step have in common is made once.

Dagster serializes each event by itself, which took half of recording a run. Here its text is filled
into that of the events beside it, and is the same to the letter.
Not here: the files that the rows are written to (event_files.py).
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._serdes import serialize_value

OWN = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a text for what only one event has."""


def rows_of(events: Iterable[dg.EventLogEntry]) -> Iterator[dict[str, Any]]:
    """Yield the row of each event, as Dagster's event log stores it."""
    common: tuple[dg.EventLogEntry, list[str]] | None = None
    for one in events:
        shared = _shared(one)
        if common is None or shared != common[0]:
            common = shared, serialize_value(shared).split(json.dumps(OWN))
        yield _row(one, _filled(common[1], _own(one)))


def _shared(entry: dg.EventLogEntry) -> dg.EventLogEntry:
    """Return an event with nothing of its own."""
    event = entry.dagster_event
    if event:
        event = event._replace(event_specific_data=OWN, message=OWN)  # type: ignore[arg-type]  # to serialize, any value
    return entry._replace(dagster_event=event, timestamp=OWN, user_message=OWN)  # type: ignore[arg-type]  # as above


def _own(entry: dg.EventLogEntry) -> Iterator[str]:
    """Yield what only this event has, in the order of the names: Dagster sorts them."""
    if event := entry.dagster_event:
        yield serialize_value(event.event_specific_data)
        yield json.dumps(event.message)
    yield json.dumps(entry.timestamp)
    yield json.dumps(entry.user_message)


def _filled(parts: list[str], own: Iterable[str]) -> str:
    first, *rest = parts
    return first + "".join(a + b for a, b in zip(own, rest, strict=True))


def _row(entry: dg.EventLogEntry, text: str) -> dict[str, Any]:
    event = entry.dagster_event
    asset = event.asset_key if event else None
    return {
        "run_id": entry.run_id,
        "event": text,
        "dagster_event_type": event.event_type_value if event else None,
        "timestamp": datetime.fromtimestamp(entry.timestamp, UTC).replace(tzinfo=None),
        "step_key": event.step_key if event else entry.step_key,
        "asset_key": asset.to_string() if asset else None,
        "partition": (event.partition or None) if event else None,
    }
