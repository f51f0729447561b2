import json
from datetime import UTC, date, datetime
from pathlib import Path

from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sources.exports.checks import left_out, verdict
from openai_costs.sources.focus_file.assets import FOCUS_FILE
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.storage.archive import Archive, DayRead

DAY = date(2026, 11, 2)
PAGES = FOCUS_FILE.costs.pages


def test_what_several_connections_leave_out_of_a_day_is_one_verdict_with_each_of_them(
    tmp_path: Path,
) -> None:
    archive = Archive(UPath(tmp_path))
    for name, service, billed in (("azure", "Vision", "7"), ("gcp", "Speech", "3")):
        charges = json.dumps([{"service": service, "currency": "USD", "billed": billed}]).encode()
        parts = {"left_out": ("exports/bill.csv", [], [])}
        at, bodies = datetime(2026, 11, 9, tzinfo=UTC), {"left_out": charges}
        archive.keep(DayRead(PAGES.provider, name, PAGES.dataset, DAY, at, parts, bodies))
    both = [FocusConnection(name=name, files=("bill.csv",)) for name in ("azure", "gcp")]
    found = left_out(PAGES, archive, both, DayRange(DAY, DAY))
    judged = verdict(DAY, found[DAY])
    assert not judged.passed
    assert "azure leaves out Vision" in judged.because
    assert "gcp leaves out Speech" in judged.because
