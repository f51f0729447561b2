"""What must not be read by everyone: e-mail addresses and keys, one pattern each. Pure.

They name what an address may not hold instead of letters, which are ASCII in DuckDB and Unicode in
Python and Polars: all three find the same, `jö@firma.de` too.
"""

import re
from collections.abc import Iterator

_PLAIN = r"[^\s@<>()\[\],;:\"'|]"
_LABEL = r"[^\s@<>()\[\],;:\"'|.]"
_DOMAIN = rf"@(?:{_LABEL}+\.)+[^\s@<>()\[\],;:\"'|.0-9]{_LABEL}+"
ADDRESS = rf"({_PLAIN}+){_DOMAIN}"
"""An e-mail address; its first group is what stands before the @.

Its domain ends in a name, so that a model such as `claude-haiku@20251001` is none.
"""

NO_ADDRESS = r"^[^@]*$"
"""Names and ids of people in tables: addresses live in core.users and core.invites only."""

AN_ADDRESS = "[e-mail address]"
"""What stands in the place of an address. Names that hold it may be those of different people."""

SECRETS = (
    r"(?<![A-Za-z0-9])sk-(?![a-z-]*\.{3})[A-Za-z0-9_*.-]{6,}",  # `sk-admin-...` names a kind
    r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    r"gh[opsur]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"crsr_[A-Za-z0-9_-]{16,}",
    r"(?<![A-Za-z0-9])key_[0-9a-f]{32,}",
    r"xox[abeprs]-[A-Za-z0-9-]{8,}",
    r"xapp-[A-Za-z0-9-]{8,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}",
    r"(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{20,}",
    r"(?<![A-Za-z0-9])pplx-[A-Za-z0-9]{20,}",
    r"xai-[A-Za-z0-9]{20,}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+",
    r"(?i:\bbearer)\s+[A-Za-z0-9._~+/*-]{12,}=*",
    r"(?i:\bbasic)\s+[A-Za-z0-9+/]{16,}=*",
)
"""The shapes of keys that vendors hand out. A connection's own key is removed in any shape."""

USER_BEFORE_HOST = r"://[^/@]*:[^/@]*@"
"""A user with a password before a host; `abfs://container@account` has neither."""

_BEHIND_A_NAME = re.compile(_DOMAIN)
_NOT_PLAIN = re.compile(_PLAIN.replace("[^", "[", 1))
_SECRET = re.compile("|".join(SECRETS))
_SIGNATURE = re.compile(
    r"(?i)\b((?:x-(?:amz|goog)-)?(?:signature|credential|security-token)|sig|awsaccesskeyid"
    r"|googleaccessid|access_token|api[_-]?key)(=|%3D)[^&\s\"'<>]+"
)
_USER = re.compile(r"(?i)(?<=[a-z0-9+.-]://)[^/\s@\"']+@")


def _addresses(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield where addresses begin, have their @, and end, as ADDRESS finds them.

    Python's own search tries a text without an @ from each of its letters to its end: hours, for a
    cell with a whole prompt.
    """
    end = 0
    for found in _BEHIND_A_NAME.finditer(text):
        at = found.start()
        before = text[max(end, text.rfind("@", 0, at) + 1) : at]
        if local := _NOT_PLAIN.split(before)[-1]:
            end = found.end()
            yield at - len(local), at, end


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what is before, between and behind addresses, and of each what is before its @."""
    begun = 0
    for start, at, end in _addresses(text):
        yield text[begun:start], True
        yield text[start:at], False
        begun = end
    yield text[begun:], True


def has_address(text: str) -> bool:
    """Return whether a text holds an e-mail address."""
    return any(_addresses(text))


def without_addresses(text: str, instead: str = AN_ADDRESS) -> str:
    """Return a text in which every e-mail address is replaced."""
    return "".join(part if is_text else instead for part, is_text in _parts(text))


def plain_name(name: str | None) -> str | None:
    """Return a name without any e-mail address in it; null when it was nothing else."""
    if not name or not without_addresses(name, "").strip():
        return None
    return without_addresses(name)


def without_domains(text: str) -> str:
    """Return a text that keeps of every e-mail address only what stands before the @."""
    return "".join(part for part, _ in _parts(text))


def without_secrets(text: str) -> str:
    """Return a text without keys, signatures of signed addresses, and users of addresses."""
    without_keys = _SECRET.sub(_first_letters, _USER.sub("[redacted]@", text))
    return _SIGNATURE.sub(r"\1\2[redacted]", without_keys)


def redacted(text: str) -> str:
    """Return a text of unknown origin without keys and without e-mail addresses."""
    return without_secrets(without_addresses(text))


def may_be_read(text: str) -> bool:
    """Return whether what a person writes into a table holds no e-mail address and no key."""
    return "@" not in text and without_secrets(text) == text


def _first_letters(match: re.Match[str]) -> str:
    """Return what kind of key it was: `sk-[redacted]`, `Bearer [redacted]`."""
    kind = re.match(r"[a-z]+[-_]|(?i:bearer|basic)\s+", match[0])
    return f"{kind[0] if kind else match[0][:4]}[redacted]"
