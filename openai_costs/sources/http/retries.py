"""Tries again what may pass: how often, how long in between, and what a person reads meanwhile.

The retrying is stamina's; the sentences are ours. Not here: what is worth it (transport.py).
"""

import ssl
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import stamina

from openai_costs.kernel.errors import ReadFailed
from openai_costs.sources.provider import Tell

T = TypeVar("T")

ATTEMPTS = 8

LONGEST_WAIT = 60.0
"""Waits of 2, 4, 8, 16, 32, 60, 60 s: together they outlast a 60 s refill several times."""

LONGEST_RETRY_AFTER = 600.0
"""A provider that asks for more than ten minutes is down: fail, and let the next run try."""


class Again(Exception):  # noqa: N818 - a signal to the retry library, never seen outside
    """What came is worth asking for again.

    Args:
        what: What happened, in the words of a sentence.
        said: What was said: the status or the kind of break, and the message.
        wait_seconds: The wait the provider asked for, if any.
    """

    attempts: ClassVar[int] = ATTEMPTS

    def __init__(self, what: str, said: str, wait_seconds: float | None = None) -> None:
        super().__init__(said)
        self.what, self.said, self.wait_seconds, self.tried = what, said, wait_seconds, 0

    @property
    def is_worth_it(self) -> bool:
        """Whether there are attempts left, and the wait asked for is not too long."""
        return self.tried < self.attempts and (self.wait_seconds or 0) <= LONGEST_RETRY_AFTER


def patiently(ask: Callable[[], T], name: str, tell: Tell) -> T:
    """Return what `ask` returns, however often it raises Again before.

    Args:
        ask: Asks once.
        name: Whom it asks, for the sentence.
        tell: Takes a sentence before each wait.

    Raises:
        Again: The last one, when it is not worth asking any more.
    """
    for attempt in stamina.retry_context(
        on=_worth_another_try,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=2.0,
        wait_max=LONGEST_WAIT,
    ):
        with attempt:
            try:
                return ask()
            except Again as again:
                again.tried = attempt.num
                if again.is_worth_it:
                    tell(f"{name}: {_sentence(again, attempt.next_wait)}")
                raise
    raise AssertionError("stamina ends in an answer or an exception")  # pragma: no cover


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in Retry-After; the vendor sends whole seconds, never a date."""
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _worth_another_try(error: Exception) -> bool | float:
    if not isinstance(error, Again) or not error.is_worth_it:
        return False
    return True if error.wait_seconds is None else error.wait_seconds


def _sentence(again: Again, usual_wait: float) -> str:
    wait = usual_wait if again.wait_seconds is None else again.wait_seconds
    next_one = f"attempt {again.tried + 1} of {again.attempts}"
    return f"{again.what}; trying again in {wait:.0f} s ({next_one})"


# A host that does not answer at all: waiting for minutes, as for a busy one, would not help. A
# wrong name, a closed port and a missing network look alike from here, so a few quick tries tell
# a moment from a mistake. A certificate that does not verify needs no second try.

TRIES = 3

WAIT_SECONDS = 2.0


class NoConnection(Again):
    """The host was not found, or refused the connection."""

    attempts: ClassVar[int] = TRIES

    def __init__(self, host: str, said: str) -> None:
        super().__init__(f"no connection to {host} ({said})", said, WAIT_SECONDS)


class HostUnreachable(ReadFailed):
    """A few quick tries found nobody: terminal, a person has to look at the address."""

    def __init__(self, connection: str, host: str, said: str) -> None:
        super().__init__(
            f"Connection {connection!r}: no connection to {host} in {TRIES} tries ({said}). "
            "Nothing was sent. Check the address (`base_url`, of a gateway `litellm_url`), this "
            "machine's network and HTTPS_PROXY, then run it again."
        )


class CertificateRefused(ReadFailed):
    """Whoever answers there cannot prove that it is the host: terminal, a person has to act."""

    def __init__(self, connection: str, host: str, said: str) -> None:
        super().__init__(
            f"Connection {connection!r}: the certificate of {host} does not verify ({said}). "
            "Nothing was sent. If your company's proxy answers there, set SSL_CERT_FILE to its "
            "certificate; otherwise correct the address."
        )


def is_unverified(broken: BaseException | None) -> bool:
    """Return whether a certificate that does not verify is behind a broken connection."""
    while broken is not None:
        if isinstance(broken, ssl.SSLCertVerificationError):
            return True
        broken = broken.__cause__ or broken.__context__
    return False
