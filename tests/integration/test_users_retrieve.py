"""GET /api/users/{uuid}/ and /api/users/me/."""

from service import unique


def test_me_is_the_caller(staff):
    answer = staff.get("/api/users/me/")
    assert answer.status_code == 200
    assert answer.json()["username"] == "staff"
