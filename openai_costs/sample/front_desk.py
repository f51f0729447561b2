"""What every endpoint does the same: count the request, fail as told, check the key, answer."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Final

import msgspec

from openai_costs.sample.auth import authorise
from openai_costs.sample.spoiled_answers import answer, delay, refuse
from openai_costs.sample.spoiled_pages import spoiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from openai_costs.sample.faults import Faults
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.query import Items
    from openai_costs.sample.spoiled_pages import Answer

# Decimals leave as JSON numbers with every digit they have; no float is ever involved.
_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_CURSORS: Final = frozenset({"page", "after"})


class FrontDesk:
    """Takes every request, and numbers it in its rooms, which the faults are told by."""

    def __init__(self, now: Callable[[], datetime], faults: Faults, options: WireOptions) -> None:
        self.options = options
        self._now = now
        self._faults = faults
        self._requests: Counter[str] = Counter()

    async def take(
        self,
        request: Request,
        scope: str,
        rooms: tuple[str, ...],
        answer_to: Callable[[Items, datetime], Answer],
    ) -> Response:
        """Answer one request: faults that refuse first, then the question, then its spoilers."""
        self._requests.update(rooms)
        faults = tuple(
            fault for room in rooms for fault in self._faults.striking(self._requests[room], room)
        )
        await delay(faults, request.scope)
        refuse(faults, has_cursor=not _CURSORS.isdisjoint(request.query_params))
        authorise(request.headers.get("authorization"), self.options, scope)
        good = answer_to(request.query_params.multi_items(), self._now().astimezone(UTC))
        return answer(_JSON.encode(spoiled(good, faults)), faults)
