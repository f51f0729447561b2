"""The exception family. Every class builds its own sentence: what, which one, what to do next.

OpenAICostsError                a mistake we can explain; shown without a stack trace
├── SettingsError               openai_costs.toml or the environment has a value that cannot be used
│   └── MissingKey              no admin key was found in any of the places checked
├── PathNotAllowed              a request was refused before it left: not GET, or not on the list
├── ReadFailed                  a read did not complete, so nothing of it was kept
│   ├── KeyUnusable             the key contains a character that no key has: nothing was sent
│   ├── AccessRefused           401/403: terminal, a person has to act
│   ├── RequestRefused          another 4xx: asking again would not help
│   │   └── LookbackExceeded    the provider keeps no costs that old
│   ├── GatewayRefused          the gateway does not let its key read: a person has to act
│   ├── FileRefused             a file of the gateway or the directory cannot be used as it is
│   ├── ProviderUnavailable     429, 5xx or a broken connection, after all retries: try later
│   ├── HostUnreachable         no such host, or it is closed (sources/http/retries.py)
│   ├── CertificateRefused      the host cannot prove who it is (sources/http/retries.py)
│   ├── IncompleteRead          paging or the body stopped making sense: nothing kept, try later
│   └── BodyTooLarge            the answer outgrew the limit: the window must shrink
├── PageRefused                 a kept page says something the ledger must not guess about
│   └── CurrencyRefused         an amount is not in dollars
├── ContractBroken              rows break a table's contract: the table was left as it was
└── DeliveryFailed              a channel did not take a message (outputs/alerts/channels/)
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from openai_costs.kernel.redaction import redacted

USAGE_SCOPE = "api.usage.read"
MANAGEMENT_SCOPE = "api.management.read"
ASK_THE_DOCTOR = "`openai-costs doctor` checks the settings behind this request."
_NEEDS = {
    USAGE_SCOPE: "Costs and usage",
    MANAGEMENT_SCOPE: "Names of projects, keys and people",
}
"""What a key without a scope cannot read."""


class OpenAICostsError(Exception):
    """A mistake we can explain in a sentence."""

    exit_code = 1


class SettingsError(OpenAICostsError):
    """A setting cannot be used."""


class MissingKey(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """No admin key was found in any of the places checked."""

    def __init__(self, connection: str, places: Sequence[str]) -> None:
        checked = "; ".join(places)
        super().__init__(
            f"Connection {connection!r} has no admin key. Checked: {checked}. "
            "Create an admin key as an organization owner (Settings > Organization > Admin keys) "
            "and export it, or run `openai-costs demo`, which needs no key."
        )


class PathNotAllowed(OpenAICostsError):  # noqa: N818
    """A request was refused before it left this machine."""

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"{method} {path} is not allowed: this connection only sends GET to "
            f"{', '.join(allowed)}. Nothing was sent."
        )


class ReadFailed(OpenAICostsError):  # noqa: N818
    """A read did not complete; nothing of it was kept.

    Args:
        sentence: What happened, for a person.
        is_retryable: Whether the same read may succeed later without any change.
    """

    is_retryable = False


class KeyUnusable(ReadFailed):
    """The key contains a line break or a character that no header can carry; it is not shown."""

    def __init__(self, connection: str, key_env: str) -> None:
        super().__init__(
            f"Connection {connection!r}: {key_env} contains a line break or a character that no "
            "key has. Nothing was sent. Copy the key as one line."
        )


class ErrorAnswer(NamedTuple):
    """A response that is not a success.

    Args:
        connection: The connection's name.
        status: The HTTP status.
        path: The path asked.
        said: The provider's own message.
        code: The provider's error code, if it gave one.
    """

    connection: str
    status: int
    path: str
    said: str
    code: str = ""


class AccessRefused(ReadFailed):
    """401 or 403: the key is unknown, or its rights are not enough.

    Args:
        answer: The response.
        key_env: The variable the key comes from.
        scope: The scope that the path needs.
    """

    def __init__(self, answer: ErrorAnswer, key_env: str, *, scope: str = USAGE_SCOPE) -> None:
        super().__init__(
            f"Connection {answer.connection!r}: GET {answer.path} was refused with HTTP "
            f"{answer.status}. The provider's message: {answer.said!r}. {_NEEDS[scope]} need an "
            f"admin key (sk-admin-...) with the scope {scope}; set it in {key_env}. "
            "`openai-costs doctor` shows what the key may read."
        )
        self.status, self.said, self.scope = answer.status, answer.said, scope


class GatewayRefused(ReadFailed):
    """401 or 403 from the gateway: its key may not read the registry or the meter."""

    def __init__(self, gateway: str, path: str, said: str, key_env: str) -> None:
        super().__init__(
            f"Gateway {gateway!r}: GET {path} was refused. Its message: {said!r}. Give {key_env} a "
            "LiteLLM key of a proxy admin, or of the role proxy_admin_viewer, which only reads."
        )


class FileRefused(ReadFailed):
    """A file of the gateway or the directory cannot be used as it is.

    The sentence has no e-mail address and no key, whatever the file contains.

    Args:
        place: The file, and the line where one is known.
        why: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, place: str, why: str, remedy: str) -> None:
        super().__init__(redacted(f"{place}: {why}. {remedy} Nothing of it was used."))
        self.place, self.why, self.remedy = place, why, remedy


class RequestRefused(ReadFailed):
    """Another 4xx: the request itself was not accepted.

    Args:
        answer: The response.
        remedy: What to do about it.
    """

    def __init__(self, answer: ErrorAnswer, *, remedy: str = ASK_THE_DOCTOR) -> None:
        super().__init__(
            f"Connection {answer.connection!r}: GET {answer.path} returned HTTP "
            f"{answer.status}. The provider's message: {answer.said!r}. A retry would not help; "
            f"{remedy}"
        )
        self.status, self.said, self.code = answer.status, answer.said, answer.code


class LookbackExceeded(RequestRefused):
    """The provider keeps no costs that old (error code `reporting_lookback_exceeded`)."""


class ProviderUnavailable(ReadFailed):
    """429, 5xx or a broken connection that outlasted every retry."""

    is_retryable = True

    def __init__(self, connection: str, path: str, said: str) -> None:
        super().__init__(
            f"Connection {connection!r}: GET {path} did not succeed after all retries ({said}). "
            "Nothing of this read was kept and the tables are as they were. Run it again later."
        )


class IncompleteRead(ReadFailed):
    """Paging or the body stopped making sense before the read was complete."""

    is_retryable = True

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"GET {path}: {why}. All pages or none: nothing of this read was kept. "
            "Run it again; if it repeats, the provider's paging has changed: report it."
        )
        self.path, self.why = path, why


class BodyTooLarge(ReadFailed):
    """The answer outgrew the limit.

    Args:
        path: The path asked.
        limit: The limit in bytes.
        buckets_begun: How many day buckets had begun when the limit was reached.
    """

    def __init__(self, path: str, limit: int, buckets_begun: int) -> None:
        super().__init__(
            f"GET {path}: the answer is larger than {limit:,} bytes for a single day. "
            "Raise [reading] max_body_mb in openai_costs.toml."
        )
        self.buckets_begun = buckets_begun


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
            "were. Look at the page; if the provider changed its format, report it."
        )
        self.page, self.field, self.why = page, field, why


class CurrencyRefused(PageRefused):
    """An amount is not in dollars; this ledger adds one currency only."""


class ContractBroken(OpenAICostsError):  # noqa: N818
    """Rows break a table's contract; the table was left as it was."""

    def __init__(self, table: str, days: Sequence[date], rules: Sequence[str]) -> None:
        spell = ", ".join(str(day) for day in days[:3]) + (" ..." if len(days) > 3 else "")  # noqa: PLR2004 - three examples are enough
        super().__init__(
            f"{table} for {spell} was not replaced: {'; '.join(rules)}. "
            f"The rules are in docs/tables.md; the pages behind it are kept in raw/."
        )
