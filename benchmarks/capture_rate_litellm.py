"""Runs in LiteLLM's own venv: its capture-rate code over a page and some spends from stdin.

The HTTP client and the database are stood in for; reading the page, adding up and dividing are
LiteLLM's. The database's sum is made in binary, as its column is.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network for prices

import httpx
from litellm.llms.openai.organization_costs import fetch_openai_daily_costs
from litellm.proxy.spend_tracking.spend_capture_rate import compute_capture_rate


class _Endless(Exception):  # noqa: N818 - a signal to stop
    pass


async def _report(said: Mapping[str, Any]) -> str:
    asked = 0

    async def answer(*_request: object) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked > said["most"]:
            raise _Endless
        return httpx.Response(200, content=said["page"].encode())

    day = date.fromisoformat(said["day"])
    try:
        billed = await fetch_openai_daily_costs(day, day, admin_key="none", http_get=answer)
    except _Endless:
        return f"still asking after {said['most']} requests"
    if not isinstance(billed, Mapping):
        return f"failed: {billed.detail.splitlines()[0]}"
    report = compute_capture_rate(
        provider="openai",
        start_date=day,
        end_date=day,
        captured_by_day={said["day"]: sum(map(float, said["spends"]))},
        billed_by_day=billed,
        threshold=0.9,
    )
    return str(report.capture_rate)


print(asyncio.run(_report(json.load(sys.stdin))))
