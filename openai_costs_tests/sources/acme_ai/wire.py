"""Acme AI's wire in small: a bill of literals, two entries on a page, errors in its own shape."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

KEY = "acme-billing-5tZq"
DAY = date(2026, 11, 14)
OTHER_DAY = date(2026, 11, 18)
ON_A_PAGE = 2


def entry(day: date, cents: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """An entry of the bill."""
    usual = {"project": "proj_lab", "credential": "cred_7", "model": "zephyr-2", "meter": "output"}
    amounts = {"units": 1000, "cents": cents, "basis": "billed"}
    return {"date": str(day), **usual, **amounts} | more


BILL = (
    entry(DAY, "675.00045"),
    entry(DAY, "0.1", meter="input", units=7),
    entry(DAY, "12", credential=None, project=None),
    entry(OTHER_DAY, "99.999999999999999"),
)
UNBILLED = (
    entry(DAY, "5000", basis="metered"),
    entry(OTHER_DAY, "333.3", basis="estimated"),
    entry(OTHER_DAY, "66.6", basis="estimated", credential=None),
)
METERED_USD = {DAY: Decimal(50)}
ESTIMATED_USD = {OTHER_DAY: Decimal("3.999")}
USD = {DAY: Decimal("6.8710045"), OTHER_DAY: Decimal("0.99999999999999999")}


@dataclass
class AcmeWire(httpx.BaseTransport):
    """An account of literal entries; remembers what it was asked."""

    bill: Iterable[dict[str, Any]] = BILL
    refusal: tuple[int, str, str] | None = None
    asked: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.refusal:
            status, kind, reason = self.refusal
            return httpx.Response(status, json={"fault": {"kind": kind, "reason": reason}})
        if request.headers.get("x-acme-key") != KEY:
            return httpx.Response(401, json={"fault": {"kind": "key", "reason": "Who are you?"}})
        return httpx.Response(200, json=self._page(dict(request.url.params)))

    def _page(self, params: dict[str, str]) -> dict[str, Any]:
        there = [one for one in self.bill if params["from"] <= one["date"] < params["until"]]
        skip = int(params.get("resume", "0"))
        left = there[skip + ON_A_PAGE :]
        more = {"resume": str(skip + ON_A_PAGE)} if left else {}
        return {"entries": there[skip : skip + ON_A_PAGE], **more}


def page(*entries: dict[str, Any], resume: str | None = None) -> bytes:
    """A page as Acme AI sends it."""
    return json.dumps({"entries": entries, **({"resume": resume} if resume else {})}).encode()
