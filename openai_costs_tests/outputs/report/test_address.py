from __future__ import annotations

from datetime import date

from openai_costs.outputs.report.address import address

DAYS = (date(2026, 10, 1), date(2026, 10, 31))


def test_an_address_has_the_filter_what_explains_it_and_its_days() -> None:
    assert address({"user": "user-ana"}, days=DAYS, compare="last_month") == (
        "#by=model&from=2026-10-01&to=2026-10-31&compare=last_month&user=user-ana"
    )


def test_none_of_them_is_an_id_and_what_is_no_dimension_is_left_out() -> None:
    assert address({"api_key": None, "gateway": "x"}) == "#by=model&api_key=~none"


def test_ids_are_encoded_and_addresses_lose_their_domain() -> None:
    assert address({"model": "a,b&c=d/e"}) == "#by=user&model=a%2Cb%26c%3Dd%2Fe"
    assert address({"user": "ana@acme.example"}) == "#by=model&user=ana"


def test_several_ids_of_one_dimension_are_joined_by_commas() -> None:
    assert address({"connection": ("a,b", "c"), "user": "ana"}) == (
        "#by=model&connection=a%2Cb,c&user=ana"
    )
