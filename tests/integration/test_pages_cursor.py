"""Following rel="next": the cursor beside page."""

import re

import pytest
from service import unique

ORDERS = [
    "",
    "o=-username",
    "o=full_name",
    "o=-full_name",
    "o=-is_active&o=email",
    "o=-is_staff,full_name,-username",
    "o=organization",
    "o=-description",
]


def next_link(answer):
    found = re.search(r'<([^>]*)>; rel="next"', answer.headers["Link"])
    return found and found.group(1)


@pytest.fixture(scope="module")
def team(service):
    """Users who differ in little, so that orders have ties."""
    name = unique("team")
    for i in range(11):
        service.staff.post(
            "/api/users/",
            json={
                "username": f"{name}-{i:02}",
                "email": f"e{i % 4}@example.org",
                "first_name": ["Ada", "ada", "Ádám", "Zoé"][i % 4],
                "last_name": ["", "X"][i % 2],
                "organization": name,
                "is_active": i % 3 > 0,
                "description": "d" * (i % 2),
            },
        )
    return name


def walk(staff, url):
    answers = []
    while url:
        answers.append(staff.get(url))
        assert answers[-1].status_code == 200, answers[-1].text
        url = next_link(answers[-1])
    return answers


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 4, 10])
def test_following_the_links_gives_each_row_once_and_in_order(staff, team, order, size):
    query = f"organization={team}&field=username&{order}"
    whole = staff.get(f"/api/users/?{query}&page_size=300").json()
    assert len(whole) == 11
    pages = walk(staff, f"/api/users/?{query}&page_size={size}")
    assert [user for page in pages for user in page.json()] == whole
    by_number = [
        staff.get(f"/api/users/?{query}&page_size={size}&page={n + 1}").json()
        for n in range(len(pages))
    ]
    assert [page.json() for page in pages] == by_number


def test_page_stays_beside_the_cursor(staff, team):
    link = next_link(staff.get(f"/api/users/?organization={team}&page_size=3"))
    assert re.search(r"[?&]page=2&cursor=[A-Za-z0-9_-]+$", link)


def test_a_cursor_does_not_skip_or_repeat_when_rows_come_and_go(service, staff, team):
    query = f"/api/users/?organization={team}&field=username&page_size=4"
    first = staff.get(query)
    newcomer = service.create(f"{team}-00a", organization=team)
    second = staff.get(next_link(first))
    staff.delete(f"/api/users/{newcomer['uuid']}/")
    assert first.json()[-1]["username"] == f"{team}-03"
    # The page began at row 0; the newcomer is one more row after it.
    assert second.json()[0]["username"] == f"{team}-03"


@pytest.mark.parametrize(
    "change",
    [
        lambda url: re.sub(r"cursor=.*", "cursor=", url),
        lambda url: re.sub(r"cursor=.*", "cursor=AAAA", url),
        lambda url: re.sub(r"cursor=.*", "cursor=%40%20", url),
        lambda url: url[:-4] + "AAAA",
        lambda url: url + "A" * 3000,
        lambda url: url.replace("page_size=3", "page_size=4"),
        lambda url: url.replace("page=2", "page=3"),
        lambda url: url + "&o=-username",
    ],
)
def test_a_cursor_that_does_not_fit_is_ignored(staff, team, change):
    url = change(next_link(staff.get(f"/api/users/?organization={team}&page_size=3&field=username")))
    without = re.sub(r"&cursor=[^&]*", "", url)
    answer, plain = staff.get(url), staff.get(without)
    assert (answer.status_code, answer.json()) == (plain.status_code, plain.json())


def test_a_cursor_reveals_nothing(staff, team):
    import base64

    cursor = next_link(staff.get(f"/api/users/?organization={team}&page_size=3")).split("cursor=")[1]
    assert team.encode() not in base64.urlsafe_b64decode(cursor + "===")
