"""What is wrong with the address of an API, read by the library that connects to it.

Two readers of one text may see two hosts in it: what is checked here is what is connected to. Not
here: what may be asked there (sources/http/access.py).
"""

import re

import httpx

from openai_costs.kernel.hosts import is_loopback

_SHAPE = re.compile(r"(?i)https?://[^/]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+")
_LAST_PORT = 65_535
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_USER = re.compile(r"://[^/?#]*@")
_HIDDEN = re.compile(r"(?i)%(?:2e|2f|5c|00)|/\.\.?(?:/|$)|[^:]//")
"""Encoded dots and slashes, dot segments and empty ones: servers disagree about what they name."""
_NO_ADDRESS = "must be a web address: https://api.example.com/v1"
_FAULTS = (
    (_BLANK, "has a blank, a line break or an invisible character in it: remove it"),
    (re.compile(r"\\"), "has a backslash in it, behind which programs see another host: remove it"),
    (_USER, "contains a user name or password; keys belong in the environment"),
    (re.compile(r"[?#]"), "has a ? or a # in it, behind which every path would be lost: remove it"),
    (_HIDDEN, "has dots or slashes in its path that lead elsewhere: write the path plainly"),
)
"""What an address may not have, and what is wrong with one that has it."""


def address_fault(address: str) -> str:
    """Return what is wrong with the address of an API, as a predicate; empty where nothing is.

    Args:
        address: The address. It is not repeated: it may hold a secret.
    """
    if not _SHAPE.match(address):
        return _NO_ADDRESS
    for pattern, fault in _FAULTS:
        if pattern.search(address):
            return fault
    if not host_of(address) or (httpx.URL(address).port or 0) > _LAST_PORT:
        return _NO_ADDRESS
    if httpx.URL(address).scheme != "https" and not is_loopback(host_of(address)):
        return "must begin with https: the key would travel in clear text"
    return ""


def host_of(address: str) -> str:
    """Return the host that a request to an address goes to; empty where there is none."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return ""
    return url.host if _HOST.fullmatch(url.raw_host.decode("ascii")) else ""
