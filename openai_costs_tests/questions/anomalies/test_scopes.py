from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from openai_costs.questions.anomalies.thresholds import Knobs, knobs_by_scope, knobs_for_all
from openai_costs.settings import Anomalies, AnomalyScope


def test_without_settings_the_knobs_are_those_of_the_detector() -> None:
    assert knobs_for_all(Anomalies()) == Knobs()


def test_per_cent_become_shares() -> None:
    said = Anomalies(minimum_pct=Decimal(2), minimum_growth_pct=Decimal(50))
    told = knobs_for_all(said)
    assert (told.minimum_share, told.minimum_growth) == (0.02, 0.5)


def test_a_scope_says_what_is_different_and_the_rest_is_as_for_all() -> None:
    scope = AnomalyScope(scope="api_key:k", sensitivity="low", minimum_usd=Decimal(7))
    said = Anomalies(newcomer_usd=Decimal(99), scopes=(scope,))
    assert knobs_by_scope(said, "acme") == {
        "key:k": Knobs(sensitivity="low", minimum_usd=7.0, newcomer_usd=99.0)
    }


def test_a_scope_may_be_of_one_connection() -> None:
    said = Anomalies(scopes=(AnomalyScope(scope="user", connection="acme"),))
    assert set(knobs_by_scope(said, "acme")) == {"user"}
    assert knobs_by_scope(said, "harbour") == {}


def test_an_organization_is_named_by_its_connection_or_not_at_all() -> None:
    said = Anomalies(scopes=(AnomalyScope(scope="organization:acme"),))
    assert set(knobs_by_scope(said, "acme")) == {"org"}
    assert "org" not in knobs_by_scope(said, "harbour")
    assert set(knobs_by_scope(Anomalies(scopes=(AnomalyScope(scope="organization"),)), "a")) == {
        "org"
    }


@pytest.mark.parametrize("scope", ["team", "key:k", "user:", ""])
def test_a_scope_that_is_no_kind_of_series_is_refused(scope: str) -> None:
    with pytest.raises(ValidationError):
        AnomalyScope(scope=scope)
