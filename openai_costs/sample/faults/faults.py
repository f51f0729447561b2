"""Faults on request: which request goes wrong, and how.

A SPEC is a comma-separated list of `NAME@WHICH` or `NAME@WHICH:ARGUMENT`, each for one endpoint:

    429@1,429-retry-after@2:60,timeout@3:5,cut@4-6,502@30%,usage:503@every,api_keys:429@2

An ENDPOINT before the name limits the fault to its requests, which are counted separately: `usage`
and `directory` stand for a whole group, `embeddings` or `api_keys` for one endpoint. Without one,
the fault applies to costs.
WHICH is a request number counted from 1 (`3`), a range with both ends in it (`4-6`), `every`, or a
percentage of requests (`30%`, the same ones for the same seed). `FAULT_NAMES` explains each NAME,
`describe_faults()` prints the list, and a fault about paging needs a window with several pages
(a small `limit`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from openai_costs.sample.api.directory_lists import DIRECTORY_NAMES
from openai_costs.sample.api.usage_endpoints import USAGE_ENDPOINTS
from openai_costs.sample.company.activity import draw

COSTS: Final = "costs"
USAGE: Final = "usage"
DIRECTORY: Final = "directory"
ENDPOINTS: Final = (COSTS, USAGE, DIRECTORY, *USAGE_ENDPOINTS, *DIRECTORY_NAMES)
FAULT_NAMES: Final = {
    "429": "too many requests, without Retry-After",
    "429-retry-after": "too many requests, with Retry-After: SECONDS",
    "500": "internal error",
    "502": "bad gateway",
    "503": "unavailable",
    "408": "request timeout answered by the server",
    "409": "conflict",
    "timeout": "respond only after SECONDS",
    "cut": "break the connection in the middle of the body",
    "repeated-cursor": "next_page leads back to the same page, forever",
    "missing-cursor": "has_more is true and next_page is null",
    "empty-page": "no buckets on the page, yet has_more is true",
    "truncated-json": "the body is half of the JSON",
    "unknown-field": "every result has an undocumented field",
    "unknown-object": "the first result is of an unknown object type",
    "renamed-field": "amount is called cost; so is the first number of usage, or the id",
    "nan": "the first amount (of usage, the first number) is a bare NaN",
    "nan-string": 'the first amount is "NaN"',
    "null-amount": "the first amount is null",
    "missing-bucket": "the middle bucket of the page is missing",
    "duplicate-bucket": "the middle bucket of the page comes twice",
    "currency": "every amount is in CURRENCY",
    "page-token-400": "the cursor is refused (requests with a cursor only)",
}
# Names that take an argument, and the pattern it must match.
_ARGUMENTS: Final = {
    "429-retry-after": re.compile(r"[0-9]{1,5}"),
    "timeout": re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?"),
    "currency": re.compile(r"[a-z]{3}"),
}
_WHICH: Final = re.compile(r"(?P<first>[1-9]\d*)(-(?P<last>[1-9]\d*))?|every|(?P<percent>\d{1,3})%")
_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, for the requests to an endpoint that `which` selects."""

    name: str
    which: str
    argument: str = ""
    endpoint: str = COSTS

    def strikes(self, request_number: int, seed: str) -> bool:
        """Whether this request (counted from 1) goes wrong."""
        match = _WHICH.fullmatch(self.which)
        if match is None or self.which == "every":
            return match is not None
        if match["percent"]:
            return draw(seed, self.name, request_number) % _HUNDRED < int(match["percent"])
        first = int(match["first"])
        return first <= request_number <= int(match["last"] or first)


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is going to go wrong; nothing unless asked for."""

    faults: tuple[Fault, ...] = ()
    seed: str = "tidewater"

    @classmethod
    def parse(cls, spec: str, *, seed: str = "tidewater") -> Faults:
        """Faults from a SPEC; raises ValueError naming the wrong word and what is allowed."""
        words = [word.strip() for word in spec.split(",") if word.strip()]
        return cls(tuple(_fault(word) for word in words), seed)

    def striking(self, request_number: int, endpoint: str = COSTS) -> tuple[Fault, ...]:
        """The faults for this request to an endpoint, in the order they were given."""
        mine = (fault for fault in self.faults if fault.endpoint == endpoint)
        return tuple(fault for fault in mine if fault.strikes(request_number, self.seed))


NO_FAULTS: Final = Faults()


def describe_faults() -> str:
    """One line per fault and one for the endpoints, for `--faults help`."""
    lines = []
    for name, meaning in FAULT_NAMES.items():
        argument = {"currency": ":CURRENCY"}.get(name, ":SECONDS") if name in _ARGUMENTS else ""
        lines.append(f"{name + '@WHICH' + argument:34}{meaning}")
    lines.append(f"ENDPOINT:NAME@WHICH   ENDPOINT is one of {', '.join(ENDPOINTS)}")
    return "\n".join(lines)


def _fault(word: str) -> Fault:
    head, _, rest = word.partition("@")
    before, _, name = head.rpartition(":")
    endpoint = before or COSTS
    which, _, argument = rest.partition(":")
    if endpoint not in ENDPOINTS:
        raise ValueError(
            f"'{endpoint}' in '{word}' is not an endpoint; allowed: {', '.join(ENDPOINTS)}."
        )
    if name not in FAULT_NAMES:
        allowed = ", ".join(FAULT_NAMES)
        raise ValueError(f"'{name}' in '{word}' is not a fault; allowed: {allowed}.")
    _check_which(which, word)
    pattern = _ARGUMENTS.get(name)
    if pattern is None and argument:
        raise ValueError(f"'{name}' takes no argument, but '{word}' gives '{argument}'.")
    if pattern is not None and not pattern.fullmatch(argument):
        wanted = "three small letters, as in eur" if name == "currency" else "a number of seconds"
        raise ValueError(f"'{word}' needs {wanted} after the colon, not '{argument}'.")
    return Fault(name, which, argument, endpoint)


def _check_which(which: str, word: str) -> None:
    match = _WHICH.fullmatch(which)
    if match is None or int(match["percent"] or 0) > _HUNDRED:
        allowed = "a number such as 3, a range such as 4-6, every, or a percentage such as 30%"
        raise ValueError(f"'{which}' in '{word}' names no request; allowed: {allowed}.")
    if match["last"] and int(match["last"]) < int(match["first"]):
        raise ValueError(f"The range '{which}' in '{word}' ends before it begins.")
