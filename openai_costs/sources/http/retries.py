"""Retries what may succeed later: how often, after which waits, and what a person reads meanwhile.

The retrying is stamina's; the sentences are ours. Not here: what is retried (transport.py).
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
"""A provider that asks for more than ten minutes is down: fail, and leave it to the next run."""


class RetryLater(Exception):  # noqa: N818 - a signal to the retry library, never seen outside
    """The same request may succeed later.

    Args:
        what: What happened, as the beginning of a sentence.
        message: The status or the kind of break, and the provider's message.
        wait_seconds: The wait the provider asked for, if any.
    """

    attempts: ClassVar[int] = ATTEMPTS

    def __init__(self, what: str, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.what, self.message, self.wait_seconds, self.tried = what, message, wait_seconds, 0
        self.most = self.attempts

    @property
    def has_attempts_left(self) -> bool:
        """Whether there are attempts left, and the wait the provider asked for is not too long."""
        return self.tried < self.most and (self.wait_seconds or 0) <= LONGEST_RETRY_AFTER


def with_retries(ask: Callable[[], T], name: str, tell: Tell, most: int | None = None) -> T:
    """Return what `ask` returns, after as many retries as it takes.

    Args:
        ask: Sends the request once.
        name: The connection's name, for the sentence.
        tell: Takes a sentence before each wait.
        most: How many attempts there are at the most; None for the usual number.

    Raises:
        RetryLater: The last one, when no attempts are left.
    """
    for attempt in stamina.retry_context(
        on=_wait,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=2.0,
        wait_max=LONGEST_WAIT,
    ):
        with attempt:
            try:
                return ask()
            except RetryLater as failed:
                failed.tried, failed.most = attempt.num, min(failed.attempts, most or ATTEMPTS)
                if failed.has_attempts_left:
                    tell(f"{name}: {_sentence(failed, attempt.next_wait)}")
                raise
    raise AssertionError("stamina ends in an answer or an exception")  # pragma: no cover


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in Retry-After; the vendor sends whole seconds, never a date."""
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _wait(error: Exception) -> bool | float:
    """Return whether to retry, or after how many seconds."""
    if not isinstance(error, RetryLater) or not error.has_attempts_left:
        return False
    return True if error.wait_seconds is None else error.wait_seconds


def _sentence(failed: RetryLater, usual_wait: float) -> str:
    wait = usual_wait if failed.wait_seconds is None else failed.wait_seconds
    next_one = f"attempt {failed.tried + 1} of {failed.most}"
    return f"{failed.what}; trying again in {wait:.0f} s ({next_one})"


# A host that does not answer at all: waiting for minutes, as for a busy one, would not help. A
# wrong name, a closed port and a missing network look alike from here, so a few quick tries tell
# a moment from a mistake. A certificate that does not verify needs no second try.

TRIES = 3

WAIT_SECONDS = 2.0


class NoConnection(RetryLater):
    """The host was not found, or refused the connection."""

    attempts: ClassVar[int] = TRIES

    def __init__(self, host: str, message: str) -> None:
        super().__init__(f"no connection to {host} ({message})", message, WAIT_SECONDS)


class TooSlow(RetryLater):
    """An answer did not end: after one more try it is the server and no moment."""

    attempts: ClassVar[int] = 2

    def __init__(self, seconds: float) -> None:
        message = f"an answer had not ended after {seconds:.0f} s"
        super().__init__(message, message, WAIT_SECONDS)


class AnswerUnreadable(ReadFailed):
    """The answer is packed in a way that was not asked for: asking again would not help."""

    def __init__(self, connection: str, host: str, path: str, why: str) -> None:
        super().__init__(
            f"Connection {connection!r}: the answer of {host} to GET {path} cannot be read: {why}, "
            "and only gzip was asked for. None of it was used. Check what stands between this "
            "machine and the provider: the address and HTTPS_PROXY."
        )


class HostUnreachable(ReadFailed):
    """A few quick tries reached no server: terminal, a person has to check the address."""

    def __init__(self, connection: str, host: str, message: str, setting: str) -> None:
        super().__init__(
            f"Connection {connection!r}: no connection to {host} in {TRIES} tries ({message}). "
            f"Nothing was sent. Check the address (`{setting}`), this machine's network and "
            "HTTPS_PROXY, then run it again."
        )


class CertificateRefused(ReadFailed):
    """The server cannot prove that it is the host: terminal, a person has to act."""

    def __init__(self, connection: str, host: str, message: str) -> None:
        super().__init__(
            f"Connection {connection!r}: the certificate of {host} does not verify ({message}). "
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
