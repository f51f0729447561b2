"""The compliance logs platform as data: what is asked, and what an answer is kept as.

https://help.openai.com/en/articles/9261474-compliance-apis-for-enterprise-customers
"""

from datetime import date, datetime, timedelta

from openai_costs.kernel.days import ONE_DAY, DayRange, midnight
from openai_costs.kernel.errors import Permission
from openai_costs.sources.api_transport import Vendor
from openai_costs.sources.http.api import Api
from openai_costs.storage.archive import DayRead, KeptRead

NAME = "chatgpt_workspace"
DATASET = "costs"
DIRECTORY = "directory"

ORGANIZATION_ID = "org-[A-Za-z0-9_-]{1,64}"
LOG_ID = "[A-Za-z0-9_-]{1,128}"
LIST = f"/compliance/organizations/{ORGANIZATION_ID}/logs"
FILE = f"{LIST}/{LOG_ID}"
ALLOWED = (LIST, FILE)

EVENTS = "COSTS"
MOST_FILES = 100
"""The longest page of the list of files."""

LATE = timedelta(hours=5)
"""How long after an hour its events are written, by the vendor's word; a few come days later."""
QUIET = timedelta(days=4)
"""How long after its end a day waits for a file that proves it complete: longer than a weekend."""
KEPT_DAYS = 30
"""How long the platform keeps a file."""
KEEPS = f"the compliance logs platform deletes its files after {KEPT_DAYS} days"

SCOPE = "chatgpt.enterprise.compliance_logs_platform.costs.read"

API = Api(
    requests_per_minute=60,
    permission=Permission(f"Cost events need an admin key with the scope {SCOPE}.", SCOPE),
    redirected=frozenset({FILE}),
)
VENDOR = Vendor(
    "ChatGPT",
    API,
    dict.fromkeys(("full", "costs_only"), ALLOWED),
    sample_root="/chatgpt/v1",
    not_found="The organization's id is asked for (org-...): a workspace's id has no costs.",
)


def kept_days(now: datetime) -> DayRange:
    """Return the days whose files are all still there: an older day would come back smaller."""
    return DayRange((now - KEPT_DAYS * ONE_DAY).date() + ONE_DAY, now.date())


def list_path(organization: str) -> str:
    """Return the path of the list of an organization's files."""
    return f"/compliance/organizations/{organization}/logs"


def accounts(read: DayRead | KeptRead) -> set[str]:
    """Return the organizations whose files were asked for: the events in them name none."""
    return {path.split("/")[3] for path in read.paths if path.startswith("/compliance/")}


def complete_from(day: date) -> datetime:
    """Return after which instant a file must end to prove that a day is complete.

    A file is cut by when its events were written, hours after they happened, and files end in
    order. So nothing of a day is expected after the first file that ends later than this.
    """
    return midnight(day) + ONE_DAY + LATE
