"""One day's bill and meter through LiteLLM's own capture-rate code and through ours.

    python -m venv litellm-venv && litellm-venv/bin/pip install litellm==1.106.2
    python benchmarks/capture_rate.py --litellm-python litellm-venv/bin/python

Run it with the interpreter that has this project's dependencies. LiteLLM stays in a venv of its
own: it is compared with, never depended on. Every case is a page of costs as the provider would
send it, and the dollars of requests as the gateway would have metered them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
from upath import UPath

sys.path.insert(0, str(Path(__file__).parents[1]))

from openai_costs.kernel.days import DayRange, epoch
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.questions.reconciliation.reconcile import Sides, reconciliation
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.metering import MeterRow, metered
from openai_costs.sources.gateway.registry import Listing, TokenRow, tokens
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.costs.frames import ledger_batches
from openai_costs.sources.openai.paging import Query, complete
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.price_check import PriceCheck

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
CLOSE = 1e-9
MOST_REQUESTS = 200
"""Requests after which an endless answer is called endless."""
THEIRS = Path(__file__).with_name("capture_rate_litellm.py")


@dataclass(frozen=True)
class Case:
    """A day as both sides see it.

    Args:
        name: What is special about it.
        amounts: The amounts of the bill's lines, as JSON text.
        spends: The dollars of the gateway's requests, as JSON text.
        truth: Dollars metered and billed, added up by hand; None where no rate is to be had.
        currency: The currency as the provider writes it.
        is_endless: Whether every page is empty and promises another.
    """

    name: str
    amounts: tuple[str, ...]
    spends: tuple[str, ...]
    truth: tuple[str, str] | None
    currency: str = "usd"
    is_endless: bool = False

    def page(self) -> str:
        """Return the body that answers every request."""
        results = ", ".join(
            f'{{"object": "organization.costs.result", "project_id": "proj_a", '
            f'"api_key_id": "key_a", "line_item": "gpt-5, part {n}", '
            f'"amount": {{"value": {amount}, "currency": "{self.currency}"}}}}'
            for n, amount in enumerate(self.amounts)
        )
        bucket = (
            f'{{"object": "bucket", "start_time": {epoch(DAY)}, "end_time": {epoch(DAY) + 86400}, '
            f'"results": [{results}]}}'
        )
        data = "" if self.is_endless else bucket
        more = '"has_more": true, "next_page": "again"' if self.is_endless else '"has_more": false'
        return f'{{"object": "page", "data": [{data}], {more}}}'


CASES = (
    Case(
        "good input",
        ("12.5", "0.000375", "3"),
        ("11.25", "0.0003", "2.5"),
        ("13.7503", "15.500375"),
    ),
    Case("one line, one request", ("0.865846",), ("0.939487",), ("0.939487", "0.865846")),
    Case("more metered than billed", ("0.0000001",), ("0.00000016",), ("16", "10")),
    Case("nothing metered", ("5", "7"), (), ("0", "12")),
    Case("text amounts", ('"12.5"', '"2.5"'), ("7.5",), ("7.5", "15")),
    Case(
        "text with 18 decimals",
        ('"0.100000000000000001"',) * 10,
        ("1",),
        ("1", "1.00000000000000001"),
    ),
    Case("ten times a tenth", ("0.1",) * 10, ("1",), ("1", "1")),
    Case("ten tenths metered", ("1",), ("0.1",) * 10, ("1", "1")),
    Case("upper-case currency", ("10",), ("5",), ("5", "10"), currency="USD"),
    Case("NaN", ("NaN", "10"), ("5",), None),
    Case("NaN as text", ('"NaN"', "10"), ("5",), None),
    Case("endless empty page", (), ("5",), None, is_endless=True),
)


def ours(case: Case) -> str:
    """Return our capture rate of a case, or the sentence that refuses the day."""
    asked = 0
    conversation = complete(
        Query(COSTS, DayRange(DAY, DAY), ("project_id", "api_key_id", "line_item"))
    )
    try:
        next(conversation)
        while True:
            asked += 1
            if asked > MOST_REQUESTS:
                return f"still asking after {MOST_REQUESTS} requests"
            conversation.send(case.page().encode())
    except StopIteration as ended:
        bucket = bytes(ended.value.buckets[DAY])
    except OpenAICostsError as refused:
        return f"{type(refused).__name__} after {asked} requests"
    return _rate(case, bucket)


def _rate(case: Case, bucket: bytes) -> str:
    (batch,) = ledger_batches([_kept(bucket)], OpenAIConnection(name="acme"))
    if batch.refused:
        return f"refused: {type(next(iter(batch.refused.values()))).__name__}"
    rows = [MeterRow("tok", "openai", "gpt-5", 1, None, None, None, None, s) for s in case.spends]
    registry = Listing(DAY, "token_metadata", [TokenRow("tok", openai_api_key_id="key_a")])
    settled = pl.DataFrame({"day": [DAY], "is_settled": [True]})
    sides = Sides(
        ledger=batch.frame,
        usage=Usage.no_rows(),
        meter=metered("gateway", DAY, rows),
        tokens=tokens("gateway", [registry], (), ApiKeys.no_rows()),
        keys=ApiKeys.no_rows(),
        list_prices=PriceCheck.no_rows(),
        bill_days=settled.with_columns(connection=pl.lit("acme")),
        meter_days=settled,
    )
    found = reconciliation(sides, Gateway(), [DAY])
    billed, seen = (sum(found[f"{side}_usd"], Decimal(0)) for side in ("billed", "metered"))
    return str(seen / billed)


def _kept(bucket: bytes) -> KeptRead:
    grouping = ["project_id", "api_key_id", "line_item"]
    request = {"ledger": (COSTS.path, [], grouping)}
    read = DayRead("openai", "acme", "costs", DAY, NOW, request, {"ledger": bucket})
    return KeptRead(UPath("page.tar.zst"), read.manifest(), read.bodies)


def theirs(python: str, case: Case) -> str:
    """Return LiteLLM's capture rate of a case, or what became of it."""
    asked = {"page": case.page(), "spends": case.spends, "day": str(DAY), "most": MOST_REQUESTS}
    try:
        done = subprocess.run(
            [python, str(THEIRS)],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        return "no answer in 120 s"
    lines = done.stdout.strip().splitlines()
    return (
        lines[-1] if done.returncode == 0 and lines else done.stderr.strip().splitlines()[-1][:80]
    )


def verdicts(python: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield each case with the truth, LiteLLM's answer, ours, and whether ours is right."""
    for case in CASES:
        mine, other = ours(case), theirs(python, case)
        hand = " / ".join(case.truth) if case.truth else "no rate"
        yield case.name, hand, other, mine, _judged(case, mine, other)


def _judged(case: Case, mine: str, other: str) -> str:
    if case.truth is None:
        return "refused" if not _is_rate(mine) else "WRONG"
    seen, billed = map(Decimal, case.truth)
    if not _is_rate(mine) or Decimal(mine) != seen / billed:
        return "WRONG"
    if not _is_rate(other):
        return "right, LiteLLM gives none"
    apart = abs(float(mine) - float(other))
    exact = f", {apart:.1e} apart" if apart else ""
    return f"{'equal' if apart <= CLOSE else 'right, LiteLLM differs'}{exact}"


def _is_rate(text: str) -> bool:
    return text.replace(".", "", 1).replace("E-", "", 1).isdigit()


def main() -> None:
    """Print a table of all cases; end with 1 when ours is wrong anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--litellm-python", required=True, help="an interpreter with litellm")
    rows = list(verdicts(parser.parse_args().litellm_python))
    print("| case | by hand | LiteLLM | ours | |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.exit(any("WRONG" in row[-1] for row in rows))


if __name__ == "__main__":
    main()
