"""What this organisation may not ask although the question is well formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_costs.sample.refusals import bad_request

if TYPE_CHECKING:
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.query import BucketQuery


def refuse_unsupported(query: BucketQuery, options: WireOptions) -> None:
    """Raise the vendor's 400 where the options say this organisation would get one."""
    floor = options.lookback_floor
    if floor is not None and query.first_day < floor:
        message = f"'start_time' is before {floor}, the oldest day you can report on."
        raise bad_request(message, "start_time", "reporting_lookback_exceeded")
    for dimension, is_accepted in (
        ("api_key_id", options.accepts_api_key_grouping),
        ("api_source", options.accepts_api_source_grouping),
    ):
        if dimension in query.group_by and not is_accepted:
            raise bad_request(f"Results cannot be grouped by '{dimension}' here.", "group_by")


def refuse_users_by_project(query: BucketQuery, options: WireOptions) -> None:
    """Raise the 400 of costs for users by project, where this organisation may not ask that."""
    if _combines_user_and_project(query) and not _may_combine(query, options):
        message = "'user_id' cannot be combined with 'project_id' for this time range."
        raise bad_request(message, "group_by")


def _combines_user_and_project(query: BucketQuery) -> bool:
    asks_project = "project_id" in query.group_by or "project_id" in query.filters
    return "user_id" in query.group_by and asks_project


def _may_combine(query: BucketQuery, options: WireOptions) -> bool:
    if options.combine_user == "always":
        return True
    return options.combine_user != "never" and query.first_day >= options.combine_user
