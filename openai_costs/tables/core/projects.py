"""The projects of each organisation, archived and vanished ones too."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Projects(Known):
    """Projects, archived and vanished ones too.

    One row per connection and project id, with the values it was last listed with. Status: active,
    archived, vanished or not_listed.
    """

    archived_at: At = column("When it was archived.", unit="UTC timestamp", nullable=True)
    residency: str = column("Where its data is kept, as the provider says.", nullable=True)
