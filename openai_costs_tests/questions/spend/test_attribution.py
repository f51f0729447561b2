from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest

from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_user
from openai_costs.settings import Team
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.questions.spend.acme import (
    NOT_READ,
    PLAIN,
    TINY,
    directory,
    ledger,
    line,
    usage,
    user_view,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_costs.questions.spend.names import Directory

NO_VIEW: Final = UserView.no_rows()
NO_USAGE: Final = Usage.no_rows()
ANA_OWNS: Final = directory(keys={"key_ana": "ana"})


def made(
    spent: pl.DataFrame,
    *,
    view: pl.DataFrame = NO_VIEW,
    used: pl.DataFrame = NO_USAGE,
    known: Directory = NOT_READ,
    teams: Sequence[Team] = (),
) -> pl.DataFrame:
    found = attribution(spent, view, used, known, teams)
    assert SpendAttribution.broken_rules(found) == []
    return found


def said(found: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """(user, attribution, USD) and more of each row, sorted."""
    told = found.select("user_id", "attribution", "billed_usd", *columns).rows()
    return sorted(
        ((user, method, f"{usd.normalize():f}", *more) for user, method, usd, *more in told),
        key=repr,
    )


# --- the four methods ----------------------------------------------------------------------------


def test_dollars_of_a_user_that_the_provider_names_are_direct() -> None:
    spent = ledger(line("app", "key_ana", "3", user="ben"))
    assert said(made(spent, known=ANA_OWNS)) == [("ben", "direct", "3")]


def test_dollars_of_a_key_without_a_user_are_its_owners() -> None:
    spent = ledger(line("app", "key_ana", "3"))
    assert said(made(spent, known=ANA_OWNS)) == [("ana", "key_owner", "3")]


def test_dollars_of_a_key_whose_owner_is_not_known_are_not_its_owners() -> None:
    spent = ledger(line("app", "key_old", "3"))
    known = directory(keys={"key_old": None})
    assert said(made(spent, known=known)) == [(None, "unattributed", "3")]


def test_dollars_without_a_key_are_shared_out_by_tokens_of_project_model_and_day() -> None:
    used = usage(("app", "ana", None, 750), ("app", "ben", None, 250), ("lab", "cleo", None, 999))
    found = made(ledger(line("app", None, "4")), used=used)
    assert said(found, "pool", "share_pct") == [
        ("ana", "allocated", "3", "project", Decimal(75)),
        ("ben", "allocated", "1", "project", Decimal(25)),
    ]


def test_dollars_without_a_model_are_not_shared_out() -> None:
    used = usage(("app", "ana", None, 750))
    storage = line("app", None, "4", model=None)
    assert said(made(ledger(storage), used=used), "pool") == [(None, "unattributed", "4", None)]


def test_dollars_of_a_model_without_usage_are_not_allocated() -> None:
    used = usage(("app", "ana", None, 750), model="gpt-4.1")
    assert said(made(ledger(line("app", None, "4")), used=used)) == [(None, "unattributed", "4")]


# --- shares ------------------------------------------------------------------------------------


def test_tokens_of_a_key_without_a_user_are_its_owners() -> None:
    used = usage(("app", None, "key_ana", 3), ("app", "ben", None, 1))
    found = made(ledger(line("app", None, "4")), used=used, known=ANA_OWNS)
    assert said(found) == [("ana", "allocated", "3"), ("ben", "allocated", "1")]


def test_the_share_of_tokens_without_a_user_stays_unattributed() -> None:
    used = usage(("app", "ana", None, 1), ("app", None, None, 3))
    found = made(ledger(line("app", None, "4")), used=used)
    assert said(found, "pool", "share_pct") == [
        ("ana", "allocated", "1", "project", Decimal(25)),
        (None, "unattributed", "3", "project", Decimal(75)),
    ]


def test_input_and_output_count_and_endpoints_without_tokens_do_not() -> None:
    used = usage(("app", "ana", None, 1), ("app", "ben", None, 0), ("app", "cleo", None, 0))
    of_user = pl.col("user_id")
    used = used.with_columns(
        output_tokens=pl.when(of_user == "ben").then(3),
        input_tokens=pl.when(of_user != "cleo").then("input_tokens"),
        quantity=pl.when(of_user == "cleo").then(Decimal(100)),
    )
    found = made(ledger(line("app", None, "4")), used=used.cast(Usage.types()))
    assert said(found) == [("ana", "allocated", "1"), ("ben", "allocated", "3")]


def test_an_organization_without_projects_shares_out_as_a_whole_and_says_so() -> None:
    used = usage((None, "ana", None, 1), ("default", "ben", None, 3))
    found = made(ledger(line(None, None, "4")), used=used)
    assert said(found, "pool") == [
        ("ana", "allocated", "1", "organization"),
        ("ben", "allocated", "3", "organization"),
    ]


def test_dollars_of_no_project_are_not_shared_out_where_others_have_one() -> None:
    used = usage(("app", "ana", None, 1), (None, "ana", None, 1))
    spent = ledger(line(None, None, "4"), line("app", "key", "2", user="ben"))
    assert said(made(spent, used=used)) == [
        ("ben", "direct", "2"),
        (None, "unattributed", "4"),
    ]


@pytest.mark.parametrize(
    ("billed", "used"),
    [
        ("gpt-5", "gpt-5"),
        ("ft-gpt-4o-2024-08-06", "ft:gpt-4o-2024-08-06:acme::abc123"),
        ("ft-gpt-4o", "ft:gpt-4o"),
        ("gpt-5", "GPT-5"),
    ],
)
def test_a_fine_tuned_model_is_known_by_either_name(billed: str, used: str) -> None:
    tokens = usage(("app", "ana", None, 7), model=used)
    found = made(ledger(line("app", None, "4", model=billed)), used=tokens)
    assert said(found) == [("ana", "allocated", "4")]


def test_the_last_digit_goes_to_the_largest_remainder() -> None:
    used = usage(("app", "ana", None, 2), ("app", "ben", None, 1))
    found = made(ledger(line("app", None, TINY)), used=used)
    assert found.select("user_id", "billed_usd").rows() == [("ana", Decimal(TINY))]


def test_a_credit_is_shared_out_like_a_charge() -> None:
    used = usage(("app", "ana", None, 3), ("app", "ben", None, 1))
    found = made(ledger(line("app", None, "-4")), used=used)
    assert said(found) == [("ana", "allocated", "-3"), ("ben", "allocated", "-1")]


def test_zero_dollars_are_not_reported() -> None:
    assert made(ledger(line("app", None, "0"))).is_empty()


def test_a_day_without_rows_has_none() -> None:
    assert made(Ledger.no_rows()).schema == SpendAttribution.no_rows().schema


def test_days_and_connections_never_mix() -> None:
    used = usage(("app", "ana", None, 1))
    others = ({"connection": "bolt"}, {"day": used["day"][0].replace(day=2)})
    spent = ledger(*(line("app", None, "4") | other for other in others))
    known = directory(keys={"key": "ana"})
    assert {row[1] for row in said(made(spent, used=used, known=known))} == {"unattributed"}


# --- the user view -----------------------------------------------------------------------------


def plain(*lines: dict[str, Any]) -> pl.DataFrame:
    return ledger(*lines, grouping=PLAIN)


def test_a_ledger_without_users_takes_the_users_of_the_user_view() -> None:
    spent = plain(line("app", "key_1", "3"), line("lab", "key_2", "4"))
    view = user_view(("ana", "2"), ("ben", "5"))
    assert said(made(spent, view=view), "project_id", "api_key_id") == [
        ("ana", "direct", "2", None, None),
        ("ben", "direct", "5", None, None),
    ]


@pytest.mark.parametrize("left", ["0", "2"])
def test_a_credit_without_a_user_on_a_users_key_leaves_the_user_all_that_was_spent(
    left: str,
) -> None:
    spent = plain(line("app", "key_1", left), line(None, None, "0"))
    charged = str(5 + int(left))
    found = said(made(spent, view=user_view(("ana", charged), (None, "-5"))))
    assert found == [("ana", "direct", charged), (None, "unattributed", "-5")]


def test_a_users_dollars_are_placed_on_the_users_own_keys_as_far_as_those_go() -> None:
    spent = plain(line("app", "key_ana", "3"), line("lab", "key_2", "4"), line("ops", "key_3", "1"))
    view = user_view(("ana", "5"), ("ben", "3"))
    assert said(made(spent, view=view, known=ANA_OWNS), "project_id", "api_key_id") == [
        ("ana", "direct", "2", None, None),
        ("ana", "direct", "3", "app", "key_ana"),
        ("ben", "direct", "3", None, None),
    ]


def test_a_key_is_also_the_one_users_that_usage_names_for_it() -> None:
    # A service account has one id as the owner of a key and another as a user.
    spent = plain(line("app", "key_bot", "3"), line("lab", "key_2", "4"), line("ops", "key_3", "1"))
    view = user_view(("user-bot", "3"), ("ana", "2"), ("ben", "3"))
    known = directory(keys={"key_bot": "svc-bot"})
    found = made(spent, view=view, used=usage(("app", "user-bot", "key_bot", 1)), known=known)
    assert ("user-bot", "direct", "3", "key_bot") in said(found, "api_key_id")


def test_the_only_user_left_has_all_keys_that_are_left() -> None:
    spent = plain(line("app", "key_1", "3"), line("lab", "key_2", "4"))
    assert said(made(spent, view=user_view(("ana", "7"))), "project_id", "api_key_id") == [
        ("ana", "direct", "3", "app", "key_1"),
        ("ana", "direct", "4", "lab", "key_2"),
    ]


def test_the_only_project_left_has_all_users_that_are_left() -> None:
    spent = plain(line("app", "key_1", "3"), line("app", "key_2", "4"))
    view = user_view(("ana", "2"), ("ben", "5"))
    assert said(made(spent, view=view), "project_id", "api_key_id") == [
        ("ana", "direct", "2", "app", None),
        ("ben", "direct", "5", "app", None),
    ]


def test_dollars_without_a_user_in_the_view_are_attributed_like_others_keyless_first() -> None:
    spent = plain(line("app", None, "3"), line("app", "key_ana", "4"))
    view = user_view(("ben", "3"), (None, "4"))
    found = made(spent, view=view, known=ANA_OWNS)
    assert said(found, "api_key_id") == [
        ("ana", "key_owner", "1", "key_ana"),
        ("ben", "direct", "3", "key_ana"),
        (None, "unattributed", "3", None),
    ]


def test_a_line_item_without_a_user_in_the_view_keeps_its_keys() -> None:
    spent = plain(line("app", "key_ana", "3"), line("lab", None, "-1"))
    found = made(spent, view=user_view((None, "2")), known=ANA_OWNS)
    assert said(found, "project_id") == [
        ("ana", "key_owner", "3", "app"),
        (None, "unattributed", "-1", "lab"),
    ]


def test_line_items_are_matched_one_by_one_also_without_a_label() -> None:
    nameless = {"line_item": None, "model": None, "usage_type": None}
    spent = plain(line("app", None, "3"), line("app", None, "5") | nameless)
    view = pl.concat([user_view(("ana", "3")), user_view(("ben", "5")).with_columns(**nameless)])
    found = made(spent, view=view.cast(UserView.types()))
    assert said(found, "model") == [("ana", "direct", "3", "gpt-5"), ("ben", "direct", "5", None)]


def test_without_a_user_view_the_ledger_is_attributed_by_the_methods_in_order() -> None:
    spent = plain(line("app", "key_ana", "3"), line("app", None, "1"))
    assert said(made(spent, known=ANA_OWNS)) == [
        ("ana", "key_owner", "3"),
        (None, "unattributed", "1"),
    ]


def test_a_view_that_was_read_later_than_the_ledger_takes_no_more_than_there_is() -> None:
    spent = plain(line("app", None, "10"))
    found = made(spent, view=user_view(("ana", "3"), ("ben", "9")))
    assert said(found) == [("ana", "direct", "3"), ("ben", "direct", "7")]


def test_a_view_that_was_read_earlier_than_the_ledger_leaves_the_rest_to_the_methods() -> None:
    spent = plain(line("app", "key_ana", "10"))
    found = made(spent, view=user_view(("ben", "3")), known=ANA_OWNS)
    assert said(found) == [("ana", "key_owner", "7"), ("ben", "direct", "3")]


def test_users_of_a_line_item_that_the_ledger_does_not_have_are_left_out() -> None:
    found = made(plain(line("app", None, "1")), view=user_view(("ana", "3"), model="gpt-4.1"))
    assert said(found) == [(None, "unattributed", "1")]


def test_with_a_negative_amount_users_keep_their_dollars_and_the_rest_is_nobodys() -> None:
    spent = plain(line("app", "key_ana", "10"), line("lab", None, "-4"))
    found = made(spent, view=user_view(("ana", "7"), (None, "-1")), known=ANA_OWNS)
    assert said(found, "project_id") == [
        ("ana", "direct", "7", None),
        (None, "unattributed", "-1", None),
    ]


def test_a_refund_without_a_key_is_nobodys_where_users_have_all_that_keys_have() -> None:
    spent = plain(line("app", "key_ana", "10"), line("app", None, "-4"), line("lab", None, "1"))
    found = made(spent, view=user_view(("ana", "10"), (None, "-3")), known=ANA_OWNS)
    assert said(found, "project_id", "api_key_id") == [
        ("ana", "direct", "10", "app", "key_ana"),
        (None, "unattributed", "-4", "app", None),
        (None, "unattributed", "1", "lab", None),
    ]


def test_a_ledger_with_users_has_no_use_for_a_user_view() -> None:
    spent = ledger(line("app", "key_ana", "3", user="ana"), line("app", None, "1"))
    found = made(spent, view=user_view(("ana", "3"), ("ben", "1")))
    assert said(found) == [("ana", "direct", "3"), (None, "unattributed", "1")]


# --- names, teams, and the sum by user -----------------------------------------------------------


def test_rows_carry_the_last_known_names_of_users_service_accounts_and_projects() -> None:
    known = directory(
        users={"ana": "Ana"}, service_accounts={"svc": "indexer"}, projects={"app": "App"}
    )
    spent = ledger(line("app", None, "1", user="ana"), line("lab", None, "2", user="svc"))
    assert said(made(spent, known=known), "user_name", "project_name") == [
        ("ana", "direct", "1", "Ana", "App"),
        ("svc", "direct", "2", "indexer", None),
    ]


def test_a_key_says_more_of_the_team_than_a_user_and_a_user_more_than_a_project() -> None:
    teams = (
        Team(name="of the key", api_keys=("key",)),
        Team(name="of the user", users=("ana",)),
        Team(name="of the project", projects=("app",)),
    )
    spent = ledger(
        line("app", "key", "1", user="ana"),
        line("app", None, "2", user="ana"),
        line("app", None, "3"),
        line(None, None, "4"),
    )
    assert [row[-1] for row in said(made(spent, teams=teams), "team")] == [
        "of the key",
        "of the user",
        "of the project",
        None,
    ]


def test_the_share_by_user_is_of_all_dollars_of_a_model_that_were_shared_out() -> None:
    used = usage(("app", "ana", None, 1), ("lab", "ben", None, 3), ("lab", None, None, 1))
    spent = ledger(line("app", None, "6"), line("lab", None, "4"), line("ops", None, "9"))
    found = by_user(made(spent, used=used))
    assert said(found, "share_pct") == [
        ("ana", "allocated", "6", Decimal(60)),
        ("ben", "allocated", "3", Decimal(30)),
        (None, "unattributed", "10", None),
    ]


def test_there_is_no_share_of_charges_and_credits_that_cancel_out() -> None:
    used = usage(("app", "ana", None, 1), ("lab", "ben", None, 1))
    spent = ledger(line("app", None, "6"), line("lab", None, "-6"))
    assert by_user(made(spent, used=used))["share_pct"].to_list() == [None, None]
