"""The floor: what it costs to move the bytes, and to parse them, and to do nothing with them."""

import json
from collections.abc import Iterator
from decimal import Decimal

import httpx
from work import Outcome, Task, window_params

HEADERS = {"Authorization": "Bearer sk-admin-benchmark"}


def bodies(task: Task) -> Iterator[tuple[bool, bytes]]:
    """Yield the body of every request of a complete read, and whether it is the ledger's."""
    with httpx.Client(headers=HEADERS, timeout=120.0) as client:
        for first, days in task.windows():
            for grouping in task.groupings:
                params = window_params(first, days, grouping)
                answer = client.get(f"{task.base_url}/organization/costs", params=params)
                yield grouping == task.groupings[0], answer.raise_for_status().content


def download(task: Task) -> Outcome:
    """Fetch every body and drop it."""
    for _ in bodies(task):
        pass
    return Outcome(rows=0)


def download_and_parse(task: Task) -> Outcome:
    """Fetch every body and parse it without losing a digit."""
    rows = 0
    for is_ledger, body in bodies(task):
        page = json.loads(body, parse_float=Decimal)
        if is_ledger:
            rows += sum(len(bucket["results"]) for bucket in page["data"])
    return Outcome(rows)
