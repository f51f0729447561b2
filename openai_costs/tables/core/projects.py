"""The projects of each organization, including archived and vanished ones."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Projects(Known):
    """Projects, including archived and vanished ones.

    One row per connection and project id, with its last listed values. Status: active,
    archived, vanished or not_listed.
    """

    archived_at: At = column("When the project was archived.", unit="UTC timestamp", nullable=True)
    residency: str = column(
        "Where the project's data is stored, as the provider reports it.", nullable=True
    )
