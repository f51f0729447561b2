from collections.abc import Callable
from datetime import date

import pytest

from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    IncompleteRead,
    ProviderUnavailable,
    RequestRefused,
)
from openai_costs.sources.http.paging import MOST_PAGES, Body, Get
from openai_costs.sources.openai.organization.endpoints import (
    API_KEYS,
    PROJECT_LIMIT,
    PROJECTS,
    USERS,
)
from openai_costs.sources.openai.organization.protocol import (
    ListRead,
    Question,
    earliest_day,
    earliest_made,
    of_organization,
    of_project,
    project_ids,
    read_list,
    read_or_refused,
)
from openai_costs_tests.sources.openai.organization.wire import key, page, project, seconds, user
from openai_costs_tests.sources.openai.wire import converse, in_turn

PEOPLE = Question(USERS)
REFUSED = AccessRefused(
    ErrorAnswer("acme", 403, "/organization/users", "Missing scopes."), "ACME_KEY"
)
GONE = RequestRefused(ErrorAnswer("acme", 404, "/organization/users", "No such project."))
DOWN = ProviderUnavailable("acme", "/organization/users", "HTTP 503")


def test_the_largest_page_is_asked_for_with_what_shows_everything():
    assert Question(PROJECTS).get().params == (("limit", "100"), ("include_archived", "true"))
    asked = Question(API_KEYS, "proj_a").get()
    assert asked.path == "/organization/projects/proj_a/api_keys"
    assert asked.params == (("limit", "100"), ("owner_project_access", "any"))


def test_a_list_on_one_page_is_one_request():
    body = page(user("ada"))
    pages, asked = converse(read_list(PEOPLE), in_turn(body))
    assert [one.body for one in pages] == [body]
    assert asked == [PEOPLE.get()]


def test_each_further_page_is_asked_for_after_the_last_id_of_the_one_before():
    bodies = [
        page(user("ada"), has_more=True),
        page(user("bo"), has_more=True, last_id="user-bo"),
        page(user("cy")),
    ]
    pages, asked = converse(read_list(PEOPLE), in_turn(*bodies))
    assert [one.body for one in pages] == bodies
    assert [dict(get.params).get("after") for get in asked] == [None, "user-ada", "user-bo"]
    assert [one.get for one in pages] == asked


def test_a_list_without_entries_is_a_list():
    pages, _ = converse(read_list(PEOPLE), in_turn(page()))
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (page(user("ada"), has_more=True), "came back"),
        (b'{"data": [{"id": "user-ada"}], "has_more": true}', "names no last_id"),
        (b'{"data": [{"id": "user-ada"}], "has_more": true, "last_id": null}', "names no last_id"),
        (b'{"data": [], "has_more": true, "last_id": "user-ada"}', "empty page says has_more"),
        (b'{"data": [{"id": "user-ada"}', "not the JSON of a list"),
        (b'{"data": [{"id": "user-ada"}]}', "not the JSON of a list"),
        (b'{"entries": [], "has_more": false}', "not the JSON of a list"),
        (b"", "not the JSON of a list"),
    ],
)
def test_paging_that_makes_no_sense_is_tried_again_and_then_an_error(said: bytes, words: str):
    asked: list[Get] = []

    def answer(get: Get) -> Body:
        asked.append(get)
        return said

    with pytest.raises(IncompleteRead, match=words):
        converse(read_list(PEOPLE), answer)
    assert [get for get in asked if get == PEOPLE.get()] == [PEOPLE.get()] * 4


def test_a_page_that_is_whole_the_second_time_leaves_no_trace_of_the_first():
    whole = [page(user("ada"), has_more=True), page(user("bo"))]
    pages, asked = converse(read_list(PEOPLE), in_turn(whole[0], b'{"data"', *whole))
    assert [one.body for one in pages] == whole
    assert len(asked) == 4


def test_paging_ends_after_a_thousand_pages():
    count = iter(range(10 * MOST_PAGES))

    def endless(_get: Get) -> Body:
        return page(user(f"u{next(count)}"), has_more=True)

    with pytest.raises(IncompleteRead, match="more than 1000 pages"):
        converse(read_list(PEOPLE), endless)


def test_a_single_object_is_asked_for_without_paging():
    pages, asked = converse(read_list(Question(PROJECT_LIMIT, "proj_a")), in_turn(b'{"a": 1}'))
    assert [one.body for one in pages] == [b'{"a": 1}']
    assert asked == [Get("/organization/projects/proj_a/spend_limit", ())]


def test_a_single_object_that_is_not_there_is_a_page_without_content():
    pages, _ = converse(read_list(Question(PROJECT_LIMIT, "proj_a")), in_turn(GONE))
    assert [one.body for one in pages] == [b""]


def test_a_single_object_that_is_no_object_is_an_error():
    with pytest.raises(IncompleteRead, match="not a JSON object"):
        converse(read_list(Question(PROJECT_LIMIT, "proj_a")), in_turn(b"[]"))


@pytest.mark.parametrize("refused", [REFUSED, GONE])
def test_a_refused_list_is_absent_with_the_providers_message(
    refused: AccessRefused | RequestRefused,
):
    found, _ = converse(read_or_refused(PEOPLE), in_turn(refused))
    assert found == ListRead(absent=f"HTTP {refused.status}: {refused.message}")


@pytest.mark.parametrize("refused", [REFUSED, GONE])
def test_refused_projects_are_no_directory(refused: AccessRefused | RequestRefused):
    with pytest.raises(type(refused)):
        converse(read_or_refused(Question(PROJECTS)), in_turn(refused))


def test_a_key_that_is_no_longer_known_half_way_ends_the_reading():
    revoked = AccessRefused(
        ErrorAnswer("acme", 401, "/organization", "Incorrect API key."), "ACME_KEY"
    )
    with pytest.raises(AccessRefused):
        converse(read_or_refused(Question(API_KEYS, "proj_a")), in_turn(revoked))
    found, _ = converse(read_or_refused(PEOPLE), in_turn(revoked))
    assert found.absent == "HTTP 401: Incorrect API key."


def test_an_outage_is_no_absence():
    with pytest.raises(ProviderUnavailable):
        converse(read_or_refused(PEOPLE), in_turn(DOWN))


def test_every_list_is_asked_for_once():
    names = [one.name for one in (*of_organization(), *of_project("proj_a"))]
    assert names == [
        *("users", "invites", "admin_api_keys", "spend_limit", "spend_alerts"),
        *("api_keys.proj_a", "members.proj_a", "service_accounts.proj_a"),
        *("spend_limit.proj_a", "spend_alerts.proj_a"),
    ]


def test_a_project_is_asked_about_once_and_only_by_an_id_that_can_be_part_of_a_path():
    strange = [project("a", id=one) for one in ("../users", "a/b", "a.b", "", "x" * 65)]
    body = page(project("b"), *strange, project("a"), project("b"))
    pages, _ = converse(read_list(Question(PROJECTS)), in_turn(body))
    assert project_ids(pages) == ["proj_b", "proj_a"]


def old(name: str, year: int) -> dict[str, object]:
    return project(name, created_at=seconds(date(year, 5, 4)))


def answers(*projects: dict[str, object], **keys: bytes | Exception) -> Callable[[Get], object]:
    def answer(get: Get) -> object:
        owner = get.path.split("/")[3:4]
        return keys.get(owner[0].removeprefix("proj_"), page()) if owner else page(*projects)

    return answer


def test_history_starts_where_the_oldest_project_was_made():
    day, asked = converse(earliest_day(), answers(old("new", 2026), old("old", 2024)))  # type: ignore[arg-type]
    assert day == date(2024, 5, 4)
    assert [get.path.split("/")[3] for get in asked[1:]] == ["proj_old", "proj_new"]


def test_history_starts_with_an_older_key_of_one_of_the_three_oldest_projects():
    projects = [old(name, year) for name, year in zip("abcd", range(2023, 2027), strict=True)]
    oldest = page(key("k", created_at=seconds(date(2022, 1, 1))))
    day, asked = converse(earliest_day(), answers(*projects, c=oldest, d=oldest))  # type: ignore[arg-type]
    assert day == date(2022, 1, 1)
    assert len(asked) == 4


def test_keys_that_are_refused_tell_nothing_about_where_history_starts():
    day, _ = converse(earliest_day(), answers(old("a", 2024), a=GONE))  # type: ignore[arg-type]
    assert day == date(2024, 5, 4)


def test_an_organization_without_projects_has_no_oldest():
    day, _ = converse(earliest_day(), answers())  # type: ignore[arg-type]
    assert day is None


def test_what_has_no_readable_date_is_not_the_oldest():
    body = page(project("a", created_at=None), project("b", created_at="soon"), old("c", 2025))
    pages, _ = converse(read_list(Question(PROJECTS)), in_turn(body))
    assert earliest_made([pages]) == date(2025, 5, 4)
    assert earliest_made([]) is None
