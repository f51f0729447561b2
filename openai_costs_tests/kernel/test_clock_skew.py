from datetime import UTC, datetime, timedelta

import pytest

from openai_costs.kernel.clock_skew import ReadInstant, SkewAwareClock, day_of_lists, skew_aware

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
YEAR = timedelta(days=400)


def clock(**servers: datetime) -> SkewAwareClock:
    """A clock that says NOW, compared with the `Date` of some servers."""
    made = SkewAwareClock(lambda: NOW)
    for name, date in servers.items():
        made.compare(name, date)
    return made


@pytest.mark.parametrize(
    ("server", "believed"),
    [
        (None, NOW),
        (NOW - timedelta(minutes=59), NOW),
        (NOW + timedelta(minutes=59), NOW),
        (NOW - timedelta(hours=2), NOW - timedelta(hours=2)),
        (NOW + timedelta(hours=2), NOW),
        (NOW - YEAR, NOW - YEAR),
        (NOW + YEAR, NOW),
    ],
)
def test_beyond_an_hour_the_earlier_of_two_clocks_is_believed(
    server: datetime | None, believed: datetime
) -> None:
    assert ReadInstant(NOW, server).believed == believed


def test_before_any_response_our_clock_is_all_there_is() -> None:
    assert clock()() == NOW
    assert clock().instant("acme", NOW) == ReadInstant(NOW, None)
    assert clock().latest() is None
    assert clock().warning() == ""


def test_an_instant_is_moved_by_the_skew_of_its_own_server() -> None:
    compared = clock(acme=NOW - YEAR, harbour=NOW)
    began = NOW - timedelta(minutes=7)
    assert compared.instant("acme", began) == ReadInstant(began, began - YEAR)
    assert compared.instant("harbour", began).believed == began


def test_one_provider_that_agrees_shows_that_our_clock_is_right() -> None:
    assert clock(acme=NOW - YEAR)() == NOW - YEAR
    assert clock(acme=NOW - YEAR, harbour=NOW)() == NOW


def test_a_gateway_on_this_machine_does_not_show_that_our_clock_is_right() -> None:
    compared = clock(acme=NOW - YEAR)
    compared.compare_gateway("gateway", NOW)
    assert compared() == NOW - YEAR
    assert compared.instant("gateway", NOW).believed == NOW - YEAR


def test_a_gateway_with_a_wrong_clock_does_not_move_the_bill() -> None:
    compared = clock(acme=NOW)
    compared.compare_gateway("gateway", NOW - YEAR)
    assert compared() == NOW
    assert compared.instant("gateway", NOW).believed == NOW - YEAR
    assert compared.instant("acme", NOW).believed == NOW


def test_the_latest_instant_is_the_servers_where_our_clock_is_behind() -> None:
    assert clock(acme=NOW + YEAR).latest() == NOW + YEAR
    assert clock(acme=NOW - YEAR).latest() == NOW


@pytest.mark.parametrize(
    ("server", "believed"),
    [
        (None, NOW),
        (NOW + timedelta(minutes=59), NOW),
        (NOW + timedelta(hours=2), NOW + timedelta(hours=2)),
        (NOW + YEAR, NOW + YEAR),
        (NOW - YEAR, NOW - YEAR),
    ],
)
def test_of_a_whole_list_the_servers_clock_is_believed_on_either_side(
    server: datetime | None, believed: datetime
) -> None:
    assert ReadInstant(NOW, server, is_of_now=True).believed == believed
    asked = {"acme": server} if server else {}
    assert clock(**asked).of_now()() == believed


def test_one_provider_that_agrees_shows_that_our_clock_is_not_behind_either() -> None:
    assert day_of_lists(clock(acme=NOW + YEAR)) == (NOW + YEAR).date()
    assert day_of_lists(clock(acme=NOW + YEAR, harbour=NOW)) == NOW.date()


def test_a_list_of_files_has_the_day_of_the_providers_that_were_asked() -> None:
    behind = clock(acme=NOW + YEAR).of_now()
    assert behind.instant("gateway", NOW).believed == NOW + YEAR


def test_a_list_that_was_begun_under_another_day_is_not_kept() -> None:
    behind = ReadInstant(NOW, NOW + YEAR, is_of_now=True)
    assert not behind.has(NOW.date())
    assert behind.has((NOW + YEAR).date())
    agreed = ReadInstant(NOW, NOW, is_of_now=True)
    assert agreed.has(NOW.date() - timedelta(days=1))  # it began before midnight
    assert not agreed.has(NOW.date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (NOW - YEAR, "This machine's clock is 400 days ahead of the server of acme"),
        (NOW + timedelta(hours=3), "This machine's clock is 3 hours behind the server of acme"),
    ],
)
def test_a_difference_is_reported_once_with_both_times(server: datetime, said: str) -> None:
    compared = clock(acme=server)
    first = compared.report()
    assert first.startswith(said)
    assert f"(2026-03-20 12:00 here, {server:%Y-%m-%d %H:%M} UTC there)" in first
    assert compared.report() == ""
    assert compared.warning() == first


def test_a_small_difference_is_not_reported() -> None:
    assert clock(acme=NOW - timedelta(minutes=59)).report() == ""


def test_a_clock_that_is_compared_already_is_not_wrapped_again() -> None:
    compared = clock(acme=NOW - YEAR)
    assert skew_aware(compared) is compared
