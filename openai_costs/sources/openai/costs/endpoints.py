"""The costs endpoint as data: what it is asked, and in which groupings.

https://platform.openai.com/docs/api-reference/usage/costs
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One endpoint whose answers are pages of day buckets.

    Args:
        path: Path below the base URL.
        dataset: The archive's name for its reads: of a dataset, or of one part of it.
        result_object: The `object` of a result.
        most_buckets: The largest `limit`: buckets in one page, not rows.
        vendor_page: Where the vendor documents it.
    """

    path: str
    dataset: str
    result_object: str
    most_buckets: int
    vendor_page: str


COSTS = Endpoint(
    path="/organization/costs",
    dataset="costs",
    result_object="organization.costs.result",
    most_buckets=180,
    vendor_page="https://platform.openai.com/docs/api-reference/usage/costs",
)

LEDGER_GROUPINGS: tuple[tuple[str, ...], ...] = (
    ("project_id", "user_id", "api_key_id", "line_item"),
    ("project_id", "api_key_id", "line_item"),
    ("project_id", "line_item"),
)
"""Richest first. `user_id` beside `project_id` "depends on the organization and requested time
range" (vendor), and one live organization refused `api_key_id`: each refusal steps down."""

USER_VIEW = "user_view"
"""The part of a read that has the dollars by user."""

USER_VIEW_GROUPING: tuple[str, ...] = ("user_id", "line_item")
"""Read when the ledger's grouping has no user."""
