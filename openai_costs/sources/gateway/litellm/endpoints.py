"""The proxy's API as data: one entry per endpoint we may call, all of them read-only.

https://docs.litellm.ai/docs/proxy/virtual_keys and https://docs.litellm.ai/docs/proxy/cost_tracking
"""

from dataclasses import dataclass

NAME = "litellm"
REGISTRY = "registry"
METER = "meter"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint whose answers are numbered pages.

    Args:
        path: Path below the proxy's address.
        size_name: The parameter for the size of a page.
        most_rows: The largest page the proxy gives; more is answered with 422.
        fixed: Parameters that every request has.
    """

    path: str
    size_name: str
    most_rows: int
    fixed: tuple[tuple[str, str], ...] = ()


KEYS = Endpoint(
    path="/key/list",
    size_name="size",
    most_rows=100,
    fixed=(
        ("return_full_object", "true"),  # without it only hashes come
        ("include_team_keys", "true"),
        ("sort_by", "created_at"),
        ("sort_order", "asc"),
    ),
)
DELETED_KEYS = Endpoint(
    path="/key/list",
    size_name="size",
    most_rows=100,
    fixed=(("return_full_object", "true"), ("include_team_keys", "true"), ("status", "deleted")),
)
"""Deleted keys leave the list; their spend does not leave the meter."""

DAILY = Endpoint(path="/user/daily/activity", size_name="page_size", most_rows=1000)
"""A page is so many rows of the daily table, not so many days: a day can span pages."""

REQUESTS = Endpoint(
    path="/spend/logs/v2",
    size_name="page_size",
    most_rows=1000,
    fixed=(("sort_by", "startTime"), ("sort_order", "asc")),
)
"""/spend/logs answers with sums by default, under keys that mix names and hashes: never asked."""

WHOLE_VIEW = ("/global/spend", "/spend/keys")
"""Only an admin, or a viewer of the whole proxy, is let in; any other key gets 401. The endpoints
above answer 200 to any key, and give it its own rows only. The first is one number, made by a view
that a database may lack; the second is asked only where the first cannot tell."""

ALLOWED = (
    *dict.fromkeys(one.path for one in (KEYS, DELETED_KEYS, DAILY, REQUESTS)),
    *WHOLE_VIEW,
)
"""Paths that may be asked with GET. Nothing outside this list is ever sent."""
