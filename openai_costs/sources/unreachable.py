"""A host that does not answer at all: waiting for minutes, as for a busy one, would not help.

A wrong name, a closed port and a missing network look alike from here, so a few quick tries tell a
moment from a mistake. A certificate that does not verify needs no second try.
"""

import ssl
from typing import ClassVar

from openai_costs.errors import ReadFailed
from openai_costs.sources.patience import Again

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
