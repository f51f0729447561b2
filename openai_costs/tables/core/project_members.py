"""Who is a member of which project."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class ProjectMembers(Known):
    """Who is a member of which project.

    One row per connection, project and user id, with its last listed values. Status:
    active or vanished.
    """

    project_id: str = column("The project.")
    role: str = column("owner or member.", nullable=True)
    added_at: At = column("When the user joined.", unit="UTC timestamp", nullable=True)

    class Config(Known.Config):
        """One row per connection, project and user."""

        unique = ("connection", "project_id", "id")
