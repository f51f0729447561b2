"""How the sample API says no: the vendor's error body, and every refusal it can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNAUTHORISED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TOO_MANY_REQUESTS: Final = 429
SERVER_ERRORS_FROM: Final = 500
_BAD_REQUEST: Final = 400


@dataclass(eq=False)
class RefusalError(Exception):
    """An HTTP error answer; raised anywhere, turned into a response in `app.py`."""

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    retry_after_seconds: int | None = None

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """The vendor's error object, ready for JSON."""
        error = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}

    @property
    def headers(self) -> dict[str, str]:
        """`Retry-After` only where the vendor would send it."""
        if self.retry_after_seconds is None:
            return {}
        return {"Retry-After": str(self.retry_after_seconds)}


def bad_request(message: str, param: str | None = None, code: str | None = None) -> RefusalError:
    """A 400: the question itself is wrong."""
    return RefusalError(_BAD_REQUEST, message, param=param, code=code)


def invalid_page_token() -> RefusalError:
    """The documented answer to a cursor used with any other question than its own."""
    return bad_request(
        "The page token is invalid, have you modified the query parameters?",
        code="invalid_request_error",
    )


def not_found(message: str, code: str | None = None) -> RefusalError:
    """A 404: there is no such thing, or not any more."""
    return RefusalError(NOT_FOUND, message, code=code)


def missing_scopes(status: int, scope: str) -> RefusalError:
    """A key that exists but may not read this; seen in public both as 401 and as 403."""
    return RefusalError(
        status,
        f"You have insufficient permissions for this operation. Missing scopes: {scope}.",
        type="server_error" if status == UNAUTHORISED else "invalid_request_error",
    )


def failed(status: int, retry_after_seconds: int | None = None) -> RefusalError:
    """A refusal that has nothing to do with the question: overload, conflict, outage."""
    if status == TOO_MANY_REQUESTS:
        message = "You're making too many requests, please slow down."
        return RefusalError(status, message, "requests", None, None, retry_after_seconds)
    kind = "server_error" if status >= SERVER_ERRORS_FROM else "invalid_request_error"
    return RefusalError(status, f"The sample API was configured to return {status}.", kind)
