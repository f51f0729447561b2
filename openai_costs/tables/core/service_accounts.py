"""The service accounts of every project."""

from openai_costs.tables.contract import column
from openai_costs.tables.entity import Known


class ServiceAccounts(Known):
    """Service accounts of every project.

    One row per connection and service account id, with its last listed values. Status:
    active or vanished.
    """

    project_id: str = column("The project it belongs to.")
    role: str = column("owner, member or none.", nullable=True)
