from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from openai_costs.questions.anomalies.thresholds import Thresholds, thresholds_in
from openai_costs.settings import Anomalies, AnomalyScope


def test_without_settings_the_thresholds_are_those_of_the_detector() -> None:
    assert thresholds_in(Anomalies(), "acme")[0] == Thresholds()


def test_per_cent_become_shares() -> None:
    stated = Anomalies(minimum_pct=Decimal(2), minimum_growth_pct=Decimal(50))
    thresholds = thresholds_in(stated, "acme")[0]
    assert (thresholds.minimum_share, thresholds.minimum_growth) == (0.02, 0.5)


def test_a_scope_says_what_is_different_and_the_rest_is_as_for_all() -> None:
    scope = AnomalyScope(scope="api_key:k", sensitivity="low", minimum_usd=Decimal(7))
    stated = Anomalies(newcomer_usd=Decimal(99), scopes=(scope,))
    assert thresholds_in(stated, "acme")[1] == {
        "key:acme/k": Thresholds(sensitivity="low", minimum_usd=7.0, newcomer_usd=99.0)
    }


def test_a_scope_may_be_of_one_connection() -> None:
    stated = Anomalies(scopes=(AnomalyScope(scope="user", connection="acme"),))
    assert set(thresholds_in(stated, "acme")[1]) == {"user"}
    assert thresholds_in(stated, "harbour")[1] == {}


def test_an_organization_is_named_by_its_connection_or_not_at_all() -> None:
    stated = Anomalies(scopes=(AnomalyScope(scope="organization:acme"),))
    assert set(thresholds_in(stated, "acme")[1]) == {"org"}
    assert "org" not in thresholds_in(stated, "harbour")[1]
    unnamed = Anomalies(scopes=(AnomalyScope(scope="organization"),))
    assert set(thresholds_in(unnamed, "a")[1]) == {"org"}


@pytest.mark.parametrize("scope", ["team", "key:k", "user:", ""])
def test_a_scope_that_is_no_kind_of_series_is_refused(scope: str) -> None:
    with pytest.raises(ValidationError):
        AnomalyScope(scope=scope)
