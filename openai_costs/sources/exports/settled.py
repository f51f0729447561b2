"""When a day of an export counts as settled: some days after its end. Pure.

A file has no mark of its own for it, and vendors go on writing to a month until days after its end.
To wait for that would leave the running month without a settled day, and with it every budget and
forecast that counts another provider too. The days below are our rule: by then nearly all of a day
is on the bill. A later correction is a restatement like any other, with both amounts.

- AWS updates a file at least once a day until the bill is final.
  https://docs.aws.amazon.com/cur/latest/userguide/what-is-cur.html
- Azure shows usage within a day, and in some cases three days later.
  https://learn.microsoft.com/azure/cost-management-billing/costs/understand-cost-mgt-data
- Google gives no number of days.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from openai_costs.kernel.days import ONE_DAY, midnight, month_of, naive
from openai_costs.kernel.days import is_settled as has_settled

DAYS_AFTER: Final[Mapping[str, int]] = MappingProxyType({"aws": 3, "azure": 4, "google": 5})
"""Days after the end of a day, by who invoices."""
OTHERWISE: Final = 5
AT_THE_LATEST: Final = timedelta(days=OTHERWISE + 2)
"""After this time a day has settled, whoever invoices, where a run is written each day."""


class Read(NamedTuple):
    """When the files of a day were read and written.

    Args:
        at: When they were read.
        ran_at: When the newest run among them was; None where the vendor does not say.
    """

    at: datetime
    ran_at: datetime | None

    @property
    def known_at(self) -> datetime:
        """The instant that the files were written and read by: they know nothing later."""
        return min(naive(self.at), naive(self.ran_at or self.at))


def is_settled(day: date, read: Read, host: str | None, days_after: int | None = None) -> bool:
    """Return whether a day had stopped moving when its newest file was read, and was written.

    Days of a month that is over need a file of after its end: vendors stop writing it at some time.

    Args:
        day: The day.
        read: When its files were read and written.
        host: Who invoices; None where several do.
        days_after: How many days after its end, where the settings say so.
    """
    waits = timedelta(days=days_after or DAYS_AFTER.get(host or "", OTHERWISE))
    month_ended = midnight(month_of(day).last) + ONE_DAY
    is_written = (
        read.ran_at is None
        or has_settled(day, read.ran_at, waits)
        or naive(read.ran_at) >= naive(month_ended)
    )
    return is_written and has_settled(day, read.at, waits)
