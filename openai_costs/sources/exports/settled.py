"""When a day of an export has stopped moving: some days after its month has closed. Pure.

A file has no mark of its own for it, and vendors go on writing to a month after its end. The days
below are our rule, on the safe side of what each vendor documents; a later correction is a
restatement like any other.

- AWS finalizes a bill within the first days of the next month.
  https://docs.aws.amazon.com/cur/latest/userguide/what-is-cur.html
- Azure exports the month before in the first five days of a month.
  https://learn.microsoft.com/azure/cost-management-billing/costs/understand-cost-mgt-data
- Google gives no number of days.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from openai_costs.kernel.days import ONE_DAY, midnight, naive
from openai_costs.sources.exports.layout import month_of

DAYS_AFTER: Final[Mapping[str, int]] = MappingProxyType({"aws": 7, "azure": 5, "google": 10})
"""Days after the end of a month, by who invoices."""
OTHERWISE: Final = 10
AT_THE_LATEST: Final = timedelta(days=31 + OTHERWISE)
"""After this time the first day of the longest month has settled, whoever invoices."""


class Read(NamedTuple):
    """When the files of a day were read and written.

    Args:
        at: When they were read.
        ran_at: When the newest run among them was; None where the vendor does not say.
    """

    at: datetime
    ran_at: datetime | None


def is_settled(day: date, read: Read, host: str | None, days_after: int | None = None) -> bool:
    """Return whether a day had stopped moving when it was read.

    Args:
        day: The day.
        read: When its files were read and written.
        host: Who invoices; None where several do.
        days_after: After how many days from its end a day counts as settled, where the settings do
            not wait for the end of its month.
    """
    ended = midnight(month_of(day).last if days_after is None else day) + ONE_DAY
    waits = timedelta(
        days=DAYS_AFTER.get(host or "", OTHERWISE) if days_after is None else days_after
    )
    is_late = naive(read.at) >= naive(ended + waits)
    written_by = ended if days_after is None else ended + waits
    return is_late and (read.ran_at is None or naive(read.ran_at) >= naive(written_by))
