"""Ten thousand people with names from many scripts, posted through nginx, listed and compared."""

import json
import random
import re
from http.client import HTTPConnection

import pytest
from people import fold, people
from service import Client, Service
from users import at_once

PATH = "/api/users/"
COUNT = 10_000
TAG = "of ten thousand"
CONNECTIONS = 8


@pytest.fixture(scope="module")
def service():
    instance = Service(workers=4)
    yield instance
    instance.close()


def post(client, bodies):
    """Every other body with its letters as they are, the rest as \\u1234; by the quickest client."""
    headers = {"Authorization": f"Token {client.token}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", client.service.port)
    statuses = []
    for i, body in enumerate(bodies):
        text = json.dumps(body, ensure_ascii=i % 2 == 0).encode()
        connection.request("POST", PATH, text, headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


@pytest.fixture(scope="module")
def posted(service):
    """The bodies that were sent, by username, after each of them was answered by 201."""
    crowd = people(COUNT, TAG)
    shares = [crowd[i :: CONNECTIONS * 4] for i in range(CONNECTIONS * 4)]
    statuses = sum(at_once(post, service.staff, shares, CONNECTIONS), [])
    assert statuses == [201] * COUNT
    return {body["username"]: body for body in crowd}


def next_page(answer):
    found = re.search(r'<([^>]*)>; rel="next"', answer.headers["Link"])
    return found and found.group(1)


@pytest.fixture(scope="module")
def listed(service, posted):
    """Everybody as the list shows him, page by page along the links."""
    users, url = [], f"{PATH}?organization={TAG}&page_size=1000"
    while url:
        answer = service.staff.get(url)
        assert answer.status_code == 200
        assert answer.headers["X-Result-Count"] == str(COUNT)
        assert len(answer.json()) == 300 or next_page(answer) is None
        users += answer.json()
        url = next_page(answer)
    return users


def full_name(body):
    return f"{body['first_name']} {body['last_name']}".strip(" ")


def test_the_people_are_always_the_same(posted):
    assert list(posted.values()) == people(COUNT, TAG)


def test_everybody_is_listed_once_and_in_order(posted, listed):
    assert [user["username"] for user in listed] == sorted(posted)


def test_every_field_comes_back_as_it_was_sent(posted, listed):
    for user in listed:
        body = posted[user["username"]]
        assert {key: user[key] for key in body} == body
        assert user["full_name"] == full_name(body)
    assert len({user["uuid"] for user in listed}) == COUNT
    assert len({user["slug"] for user in listed}) == COUNT


def test_pages_by_number_are_the_same(service, listed):
    for page, size in ((1, 300), (2, 300), (34, 300), (17, 7), (1000, 10), (2500, 4)):
        answer = service.staff.get(f"{PATH}?organization={TAG}&page_size={size}&page={page}")
        assert answer.json() == listed[(page - 1) * size : page * size]
    last = service.staff.get(f"{PATH}?organization={TAG}&page_size=300&page=last")
    assert last.json() == listed[9900:]


def test_one_by_one(service, listed):
    for user in random.Random(1).sample(listed, 50):
        assert service.staff.get(f"{PATH}{user['uuid']}/").json() == user


@pytest.mark.parametrize(
    "name",
    ["soren", "Ödger", "MÜLLER", "ibrahim", "a ada", "GARCÍA-márquez", "o'neil", "berg", "van der",
     "Nguye\u0302\u0303n", "Ｍｕｌｌｅｒ", "zet z", "łukasz", "thorunn", "1"],
)  # fmt: skip
def test_searches_of_the_full_name_do_not_look_at_accents(service, posted, name):
    found = sorted(
        username for username, body in posted.items() if fold(name) in fold(full_name(body))
    )
    params = {"full_name": name, "organization": TAG, "field": "username", "page_size": 300}
    answer = service.staff.get(PATH, params=params)
    assert answer.headers["X-Result-Count"] == str(len(found))
    assert [user["username"] for user in answer.json()] == found[:300]


@pytest.mark.parametrize("script", ["Han", "Cyrillic", "Arabic", "Emoji"])
def test_searches_by_organization(service, posted, script):
    found = [name for name, body in posted.items() if body["organization"].startswith(script)]
    answer = service.staff.head(PATH, params={"organization": f"{script} "})
    assert answer.headers["X-Result-Count"] == str(len(found))


def test_a_regular_one_sees_himself_only(service, posted):
    username = next(u for u, b in posted.items() if b["is_active"] and not b["is_support"])
    user = service.staff.get(f"{PATH}?username={username}").json()[0]
    answer = Client(service, service.token_of(user)).get(PATH)
    assert [each["uuid"] for each in answer.json()] == [user["uuid"]]
