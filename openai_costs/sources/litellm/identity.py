"""Whose proxy a read is of: the virtual keys that it metered. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.archive import DayRead, KeptRead

OF_EVERY_PROXY = ("litellm", "hashed-jwt-")
"""What stands in the place of a virtual key begins with: the master key and LiteLLM's own jobs have
one name in every proxy (LITELLM_PROXY_MASTER_KEY_ALIAS), and a person's JWT may be used at several.
https://github.com/BerriAI/litellm/blob/main/litellm/constants.py"""

EXAMPLE_KEY = hashlib.sha256(b"sk-1234").hexdigest()
"""The master key of LiteLLM's own examples, as older versions meter it: many proxies have it."""


class _OfModel(msgspec.Struct):
    api_key_breakdown: Mapping[str, msgspec.Raw]


class _Breakdown(msgspec.Struct):
    models: Mapping[str, _OfModel]


class _Day(msgspec.Struct):
    breakdown: _Breakdown


class _Page(msgspec.Struct):
    results: list[_Day]


def owned_ids(read: DayRead | KeptRead) -> set[str]:
    """Return the virtual keys in a read; a key may be made at several proxies, but not all are."""
    return {
        key
        for key in _keys(read)
        if key and key != EXAMPLE_KEY and not key.startswith(OF_EVERY_PROXY)
    }


def _keys(read: DayRead | KeptRead) -> Iterator[str]:
    for body in read.bodies.values():
        with suppress(*UNREADABLE):  # what is wrong with a page is said when it is cleaned
            for one in msgspec.json.decode(body, type=_Page).results:
                for of_model in one.breakdown.models.values():
                    yield from of_model.api_key_breakdown
