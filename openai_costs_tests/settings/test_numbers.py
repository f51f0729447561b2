"""What a number in the settings may be written as: digits, and nothing that reads otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from openai_costs.settings import Section
from openai_costs.sources.registry import connection_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = re.compile(r"Decimal|\bint\b")


def sections(kind: type[Section] = Section) -> Iterator[type[Section]]:
    for one in kind.__subclasses__():
        yield one
        yield from sections(one)


def numbers() -> list[tuple[type[Section], str, str]]:
    """Every setting that is a number or holds some: its section, its name, and its type."""
    assert connection_kinds()  # the settings of providers are sections too
    fields = (
        (section, name, str(field.annotation))
        for section in dict.fromkeys(sections())
        if section.__module__.startswith("openai_costs.")
        for name, field in section.model_fields.items()
    )
    return [one for one in fields if NUMBER.search(one[2]) and one[1] != "spend_filter"]


def is_used(section: type[Section], name: str, kind: str, written: object) -> bool:
    """Whether a setting may be written so, whatever else its section needs."""
    value = [written] if kind.startswith("tuple") else written
    value = {"owner": written} if "Mapping[str" in kind else value
    try:
        section.model_validate({name: value})
    except ValidationError as broken:
        return not any(one["loc"][:1] == (name,) for one in broken.errors())
    return True


def test_there_are_numbers_of_every_kind() -> None:
    names = {name for _, name, _ in numbers()}
    few = {"trailing_days", "thresholds_pct", "month_usd_by_role", "usd_per_unit", "usd_per_credit"}
    assert few <= names


@pytest.mark.parametrize(("section", "name", "kind"), numbers())
def test_a_number_is_written_in_digits_and_no_larger_than_a_trillion(
    section: type[Section], name: str, kind: str
) -> None:
    plain = ("1", "2", "0.9", 1, 2, "forever")
    assert any(is_used(section, name, kind, one) for one in plain)
    for odd in ("1_0", "1__0", "\u0661", "\uff11", " 1", "1e999", "NaN", "inf", "0x1"):
        assert not is_used(section, name, kind, odd), odd
    assert not is_used(section, name, kind, "-1")
    assert not is_used(section, name, kind, "9" * 20) or "Decimal" not in kind


@pytest.mark.parametrize("rate", ["1e999", "1e7", "1e-13", "1e-999", 0, "0", True, "1,08", "EUR"])
def test_a_rate_is_one_that_a_currency_can_have(rate: object) -> None:
    (focus,) = (one for one in connection_kinds() if one.default_provider() == "focus_file")
    files = {"name": "a", "files": "b/", "currency": "EUR"}
    for written in (rate, {"2026-11": rate}):
        with pytest.raises(ValidationError, match=r"from 0\.000000000001 to 1,000,000 dollars"):
            focus.model_validate({**files, "usd_per_unit": written})
