"""Holds a conversation (paging.py) over a transport: sends what it asks, hands back what comes."""

from collections.abc import Generator
from typing import TypeVar

from openai_costs.kernel.errors import ReadFailed
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.http.transport import Transport

T = TypeVar("T")


def hold(conversation: Generator[Get, Body, T], transport: Transport) -> T:
    """Return what a conversation reads; a refusal is thrown into it, and it may go on.

    Raises:
        ReadFailed: A request failed and the conversation does not go on without it.
    """
    try:
        request = next(conversation)
        while True:
            request = _reply(conversation, transport, request)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]  # StopIteration is not generic


def _reply(conversation: Generator[Get, Body, T], transport: Transport, get: Get) -> Get:
    try:
        body = transport.get(get.path, get.params, may_be_large=get.may_be_large)
    except ReadFailed as refused:
        return conversation.throw(refused)
    return conversation.send(body)
