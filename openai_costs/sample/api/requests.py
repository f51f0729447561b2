"""What all endpoints share: count the request, fail on request, check the key, respond."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Final

import msgspec

from openai_costs.sample.api.options import NO_SCOPE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY
from openai_costs.sample.api.refusals import FORBIDDEN, UNAUTHORISED, RefusalError, missing_scopes
from openai_costs.sample.faults.corrupted import answer, corrupted, delay, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from openai_costs.sample.api.options import WireOptions
    from openai_costs.sample.api.query import Items
    from openai_costs.sample.faults.corrupted import Answer
    from openai_costs.sample.faults.faults import Faults


# Access: admin keys with the right scope only.

USAGE_SCOPE: Final = "api.usage.read"

MANAGEMENT_SCOPE: Final = "api.management.read"

_PROJECT_KEY_PREFIXES: Final = ("sk-proj-", "sk-svcacct-")


def authorise(header: str | None, options: WireOptions, scope: str) -> None:
    """Pass an `Authorization` header whose admin key has the scope; raise the vendor's refusal.

    A refusal never repeats the key it was given.
    """
    scheme, _, key = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise RefusalError(UNAUTHORISED, "No API key was sent: use Authorization: Bearer KEY.")
    if key in options.admin_keys or (key == USAGE_ONLY_ADMIN_KEY and scope == USAGE_SCOPE):
        return
    if key in (NO_SCOPE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY):
        raise missing_scopes(FORBIDDEN, scope)
    if key.startswith(_PROJECT_KEY_PREFIXES):
        raise missing_scopes(UNAUTHORISED, scope)
    raise RefusalError(UNAUTHORISED, "The API key is not valid.", code="invalid_api_key")


# Decimals leave as JSON numbers with every digit they have; no float is ever involved.
_JSON: Final = msgspec.json.Encoder(decimal_format="number")

_CURSORS: Final = frozenset({"page", "after"})


class RequestHandler:
    """Handles every request and counts it per endpoint, so that faults can select it by number."""

    def __init__(self, now: Callable[[], datetime], faults: Faults, options: WireOptions) -> None:
        self.options = options
        self._now = now
        self._faults = faults
        self._requests: Counter[str] = Counter()

    async def take(
        self,
        request: Request,
        scope: str,
        endpoints: tuple[str, ...],
        answer_to: Callable[[Items, datetime], Answer],
    ) -> Response:
        """Respond to a request: refusals first, then the response, then its corruptions."""
        self._requests.update(endpoints)
        faults = tuple(
            fault
            for endpoint in endpoints
            for fault in self._faults.striking(self._requests[endpoint], endpoint)
        )
        await delay(faults, request.scope)
        refuse(faults, has_cursor=not _CURSORS.isdisjoint(request.query_params))
        authorise(request.headers.get("authorization"), self.options, scope)
        good = answer_to(request.query_params.multi_items(), self._now().astimezone(UTC))
        return answer(_JSON.encode(corrupted(good, faults)), faults)
