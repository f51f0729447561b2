"""The exception family. Every class builds its own sentence: what, which one, what to do next.

OpenAICostsError                a mistake we can explain; shown without a stack trace
├── SettingsError               openai_costs.toml or the environment has a value that cannot be used
│   └── MissingKey              no key was found in any of the places searched
├── PathNotAllowed              a request was refused before it left: not GET, or not on the list
├── ReadFailed                  a read did not complete, so nothing of it was kept
│   ├── AccessRefused           401/403: terminal, a person has to act
│   ├── RequestRefused          another 4xx: asking again would not help
│   │   ├── LookbackExceeded    the provider keeps nothing that old
│   │   └── CursorRefused       a page behind the first is refused: nothing kept, try later
│   ├── FileRefused             a file of the gateway or the directory cannot be used as it is
│   ├── ProviderUnavailable     429, 5xx or a broken connection, after all retries: try later
│   ├── IncompleteRead          paging or the body stopped making sense: nothing kept, try later
│   └── BodyTooLarge            the answer outgrew the limit: the window must shrink
├── PageRefused                 a kept page says something the ledger must not guess about
│   └── CurrencyRefused         an amount is not in dollars
└── ContractBroken              rows break a table's contract: the table was left as it was

Other rooms have members of their own. sources, each a ReadFailed: AccountCountedAlready,
AccountRefused, AnswerUnreadable, AskedTooOften, CertificateRefused, DatabaseMissing, FileReplaced,
GatewayRefused, HostUnreachable, KeyUnusable, OtherAccount, RefusedAsBefore, SpendLogsMissing,
ViewIsPartial. storage: DatabaseLocked, LockHeld, LockLost, NotEncrypted, StorageFailed,
StoreUnreachable, StoreUnsafe, StoreUnusable, WriteConflict. outputs: DeliveryFailed, NothingToShow,
PublicationRefused. cli: NothingMade, NothingStored, RunFailedError, Stopped.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from openai_costs.kernel.formatting import listed
from openai_costs.kernel.redaction import redacted, without_secrets

ASK_THE_DOCTOR = "`openai-costs doctor` checks the settings behind this request."


class Permission(NamedTuple):
    """What a key needs before the provider answers a path.

    Args:
        need: What needs which key, as a sentence for a person; the provider's folder writes it.
        scope: The provider's name for the permission; empty where it has none.
    """

    need: str = "The key does not have the permission for this request."
    scope: str = ""


class OpenAICostsError(Exception):
    """A mistake we can explain in a sentence."""

    exit_code = 1


class SettingsError(OpenAICostsError):
    """A setting cannot be used; the sentence has no key, even one that was pasted as a name."""

    def __init__(self, sentence: str) -> None:
        super().__init__(without_secrets(sentence))


class MissingKey(SettingsError):  # noqa: N818 - the name is the sentence's subject
    """No key was found in any of the places searched.

    Args:
        connection: The connection's name.
        places: Where a key could have been.
        remedy: How to get such a key, as a sentence; the provider's folder writes it.
    """

    def __init__(self, connection: str, places: Sequence[str], remedy: str = "") -> None:
        super().__init__(
            f"Connection {connection!r} has no admin key. Places searched: {'; '.join(places)}. "
            f"{remedy or 'Create a key and export it'}, or run `openai-costs demo` without a key."
        )


class PathNotAllowed(OpenAICostsError):  # noqa: N818
    """A request was refused before it left."""

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"{method} {path} is not allowed: this connection only sends GET to "
            f"{', '.join(allowed)}. Nothing was sent."
        )


class ReadFailed(OpenAICostsError):  # noqa: N818
    """A read did not complete; nothing of it was kept."""

    is_retryable = False
    """Whether the same read may succeed later without any change."""


class ErrorAnswer(NamedTuple):
    """An answer that is not a success.

    Args:
        connection: The connection's name.
        status: The HTTP status.
        path: The path of the request.
        message: The provider's own message.
        code: The provider's error code, if it gave one.
    """

    connection: str
    status: int
    path: str
    message: str
    code: str = ""


class AccessRefused(ReadFailed):
    """401 or 403: the provider does not know the key, or does not let it read this path.

    Args:
        answer: The provider's answer.
        key_env: The variable the key comes from.
        permission: What the key needs.
    """

    def __init__(
        self, answer: ErrorAnswer, key_env: str, *, permission: Permission | None = None
    ) -> None:
        needed = permission or Permission()
        super().__init__(
            f"Connection {answer.connection!r}: the provider refused GET {answer.path} with HTTP "
            f"{answer.status} and the message {answer.message!r}. {needed.need} Set the key in "
            f"{key_env}; `openai-costs doctor` checks what it may read."
        )
        self.path, self.status, self.message = answer.path, answer.status, answer.message
        self.scope = needed.scope


class FileRefused(ReadFailed):
    """A file that settings name cannot be used; its sentence has no e-mail address and no key.

    Args:
        place: The file, and the line where one is known.
        why: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, place: str, why: str, remedy: str) -> None:
        super().__init__(redacted(f"{place}: {why}. {remedy} None of it was used."))
        self.place, self.why, self.remedy = place, why, remedy


class RequestRefused(ReadFailed):
    """Another 4xx: the provider did not accept the request itself.

    Args:
        answer: The provider's answer.
        remedy: What to do about it.
    """

    def __init__(self, answer: ErrorAnswer, *, remedy: str = ASK_THE_DOCTOR) -> None:
        super().__init__(
            f"Connection {answer.connection!r}: the provider answered GET {answer.path} with HTTP "
            f"{answer.status} and the message {answer.message!r}. The same request would fail "
            f"again; {remedy}"
        )
        self.answer, self.status = answer, answer.status
        self.message, self.code = answer.message, answer.code


class LookbackExceeded(RequestRefused):
    """The provider keeps nothing that old."""


class CursorRefused(RequestRefused):
    """The provider refuses a page behind the first, so what was asked for is not absent."""

    is_retryable = True


class ProviderUnavailable(ReadFailed):
    """429, 5xx or a broken connection that outlasted every retry."""

    is_retryable = True

    def __init__(self, connection: str, path: str, message: str) -> None:
        super().__init__(
            f"Connection {connection!r}: GET {path} did not succeed after all retries ({message}). "
            "Nothing from this read was kept, and the tables are as they were. Run it again later."
        )
        self.message = message


class IncompleteRead(ReadFailed):
    """The pages or their content stopped making sense before the read was complete."""

    is_retryable = True

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"GET {path}: {why}. All pages or none: nothing from this read was kept. "
            "Run it again. If it happens again, the provider's answers have changed: report it."
        )
        self.path, self.why = path, why


class BodyTooLarge(ReadFailed):
    """The answer outgrew the limit.

    Args:
        path: The path of the request.
        limit: The limit in bytes.
        days_begun: How many days had begun when the limit was reached; 0 where that is not known.
    """

    def __init__(self, path: str, limit: int, days_begun: int) -> None:
        super().__init__(
            f"GET {path}: the answer is larger than {limit:,} bytes for a single day. "
            "Raise [reading] max_body_mb in openai_costs.toml."
        )
        self.days_begun = days_begun


class PageRefused(OpenAICostsError):  # noqa: N818
    """A kept page says something the ledger must not guess about.

    Args:
        page: The page's path in the archive.
        field: The path of the field inside the page.
        why: What is wrong with it.
    """

    def __init__(self, page: str, field: str, why: str) -> None:
        super().__init__(
            f"{field} {why}, in page {page}. The page is kept, the tables of that day are as they "
            "were. Inspect the page; if the provider changed its format, report it."
        )
        self.page, self.field, self.why = page, field, why


class CurrencyRefused(PageRefused):
    """An amount is not in dollars; this ledger adds one currency only."""


class ContractBroken(OpenAICostsError):  # noqa: N818
    """Rows break a table's contract; the table was left as it was."""

    def __init__(self, table: str, days: Sequence[date], rules: Sequence[str]) -> None:
        some_days = listed([str(day) for day in days], 3, "day")
        super().__init__(
            f"{table} for {some_days} was not replaced: {'; '.join(rules)}. The rules are in "
            "docs/tables.md; the pages behind it are kept in raw/."
        )
