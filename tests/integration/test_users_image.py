"""A user's picture: how it is sent, kept, served, replaced and removed."""

import io
import random
import re
from email.utils import format_datetime, parsedate_to_datetime
from datetime import timedelta

import pytest
from images import PNG_SIGNATURE, chunk, picture, pixels, png, upload
from PIL import Image
from service import raw_request, unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, NOT_FOUND, UNKNOWN, new_body, path_of, statements, status_and_json

INVALID = "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
NOT_A_FILE = "The submitted data was not a file. Check the encoding type on the form."

# Form, content type, extension, what Pillow is told.
FORMS = [
    ("PNG", "image/png", "png", {}),
    ("JPEG", "image/jpeg", "jpg", {}),
    ("JPEG", "image/jpeg", "jpg", {"progressive": True, "quality": 30}),
    ("GIF", "image/gif", "gif", {}),
    ("WEBP", "image/webp", "webp", {}),
    ("WEBP", "image/webp", "webp", {"lossless": True}),
]


def set_image(client, user, data, **options):
    answer = client.patch(path_of(user), files=upload(data, **options))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client, user, **options):
    """The messages about image of a PATCH that is refused."""
    answer = client.patch(path_of(user), **options)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["image"]
    assert client.get(path_of(user)).json()["image"] is None
    return answer.json()["image"]


# --- setting and serving


@pytest.mark.parametrize("form, kind, extension, options", FORMS)
def test_a_picture_is_served_as_it_was_sent(service, nobody, regular, form, kind, extension, options):
    data = picture(form, **options)
    # Neither the name nor the type that the client tells counts.
    url = set_image(regular, regular.user, data, name="x.exe", kind="text/html")["image"]
    uuid = regular.user["uuid"]
    assert re.fullmatch(re.escape(service.url) + r"/api/media/[0-9a-f-]{36}/", url)
    answer = nobody.get(url)
    assert answer.status_code == 200
    assert pixels(answer.content) == pixels(data)
    expected = {
        "Content-Type": kind,
        "Content-Length": str(len(answer.content)),
        "Content-Disposition": f'attachment; filename="{uuid}.{extension}"',
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=604800, immutable",
        "Accept-Ranges": "bytes",
    }
    assert {name: answer.headers[name] for name in expected} == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("caller", ["staff", "self"])
def test_staff_and_self_set_it(staff, regular, method, caller):
    client = staff if caller == "staff" else regular
    answer = client.request(method, path_of(regular.user), files=upload(png()))
    assert answer.status_code == 200
    user = answer.json()
    assert user["image"] == staff.get(path_of(regular.user)).json()["image"] is not None
    assert user["username"] == regular.user["username"]


def test_staff_creates_with_a_picture(service, staff):
    data = picture("JPEG")
    answer = staff.post("/api/users/", data=new_body(first_name="Ann"), files=upload(data))
    assert answer.status_code == 201
    assert pixels(staff.get(answer.json()["image"]).content) == pixels(data)
    assert answer.json()["first_name"] == "Ann"


def test_others_do_not(service, staff, support, nobody, regular):
    other = service.create()
    for client, status, body in [
        (nobody, 401, NO_CREDENTIALS), (support, 403, FORBIDDEN), (regular, 404, NOT_FOUND),
    ]:
        answer = client.patch(path_of(other), files=upload(png()))
        assert status_and_json(answer) == (status, body)
    assert staff.get(path_of(other)).json()["image"] is None


def test_credentials_and_accept_are_not_looked_at(service, regular):
    url = set_image(regular, regular.user, png())["image"]
    for headers in [{}, {"Authorization": "Token x"}, {"Accept": "image/*"}, {"Accept": "text/html;q=0"}]:
        answer = service.nobody.get(url, headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")


def test_the_image_is_in_lists_and_costs_no_statement(service, staff, regular):
    user = set_image(regular, regular.user, png())
    answer = staff.get(f"/api/users/?username={user['username']}")
    assert [found["image"] for found in answer.json()] == [user["image"]]
    assert statements(service, answer) <= 2


def test_a_new_picture_replaces_the_old_one(service, nobody, regular):
    first = set_image(regular, regular.user, png())["image"]
    second = set_image(regular, regular.user, picture("GIF"))["image"]
    assert first != second
    assert status_and_json(nobody.get(first)) == (404, {"detail": "Not found."})
    assert nobody.get(second).headers["Content-Type"] == "image/gif"
    rows = service.sql(
        "SELECT COUNT(*) FROM user_images i JOIN users u ON u.id = i.user_id WHERE u.username = %s",
        regular.user["username"],
    )
    assert rows == ((1,),)


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"image": None}},
        {"files": {"image": (None, "")}},
        {"data": {"image": ""}},
    ],
    ids=["null", "empty part", "empty value"],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_removed(nobody, regular, method, options):
    url = set_image(regular, regular.user, png())["image"]
    answer = regular.request(method, path_of(regular.user), **options)
    assert (answer.status_code, answer.json()["image"]) == (200, None)
    assert nobody.get(url).status_code == 404
    assert regular.request(method, path_of(regular.user), **options).json()["image"] is None


@pytest.mark.parametrize("options", [{"json": {"job_title": "Cook"}}, {"data": {"job_title": "Cook"}}])
def test_left_alone_by_other_changes(regular, options):
    url = set_image(regular, regular.user, png())["image"]
    answer = regular.put(path_of(regular.user), **options)
    assert (answer.json()["image"], answer.json()["job_title"]) == (url, "Cook")


def test_no_file_chosen_in_a_page_changes_nothing(regular):
    url = set_image(regular, regular.user, png())["image"]
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n--b--\r\n'
    answer = regular.put(
        path_of(regular.user), data=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.json()["image"] == url


def test_goes_with_the_user(service, staff, nobody):
    user = service.create()
    url = set_image(staff, user, png())["image"]
    assert staff.delete(path_of(user)).status_code == 204
    assert nobody.get(url).status_code == 404


def test_raises_the_version_and_is_in_the_audit(service, regular):
    before = regular.get(path_of(regular.user)).headers["ETag"]
    modified = service.sql("SELECT modified FROM users WHERE username = %s", regular.user["username"])
    user = set_image(regular, regular.user, png())
    assert regular.get(path_of(user)).headers["ETag"].split("-")[0] != before.split("-")[0]
    assert service.sql("SELECT modified FROM users WHERE username = %s", user["username"]) > modified
    answer = regular.patch(path_of(user), files=upload(png()), headers={"If-Match": before})
    assert answer.status_code == 412
    events = service.sql(
        "SELECT JSON_VALUE(changes, '$.image[0]'), JSON_VALUE(changes, '$.image[1]'), LENGTH(changes)"
        " FROM audit_events WHERE event = 'user_update_succeeded' AND subject_uuid = UNHEX(%s)",
        user["uuid"].replace("-", ""),
    )
    assert [event[:2] for event in events] == [(None, user["image"].rsplit("/", 2)[1])]
    assert events[0][2] < 300


def test_who_has_not_agreed_changes_no_picture(service):
    user = service.account(agreed=False)
    answer = user.patch(path_of(user.user), files=upload(png()))
    assert status_and_json(answer) == (400, {"agree_with_policy": ["User must agree with the policy."]})
    answer = user.patch(path_of(user.user), files=upload(png()), data={"agree_with_policy": "True"})
    assert answer.status_code == 200


def test_an_idempotent_create_keeps_one_picture(service, staff):
    body, files = new_body(), upload(png())
    headers = {"Idempotency-Key": unique()}
    first = staff.post("/api/users/", data=body, files=files, headers=headers)
    again = staff.post("/api/users/", data=body, files=files, headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    other = staff.post("/api/users/", data=body, files=upload(picture("GIF")), headers=headers)
    assert other.status_code == 422


# --- what is left out of the file


def exif():
    data = Image.Exif()
    data[0x010E] = "taken at SECRET"
    data[0x8769] = {0x9286: b"SECRET"}
    return data.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        picture("JPEG", exif=exif(), comment=b"SECRET"),
        picture("PNG", exif=exif()),
        picture("WEBP", exif=exif(), xmp=b"<x>SECRET</x>"),
        picture("WEBP", exif=exif(), lossless=True),
        picture("GIF", comment=b"SECRET"),
        png(extra=chunk(b"tEXt", b"Comment\0SECRET") + chunk(b"iTXt", b"XML:com.adobe.xmp\0SECRET")),
        picture("PNG") + b"SECRET",
        picture("JPEG") + b"SECRET",
        picture("GIF") + b"SECRET",
        picture("WEBP") + b"SECRET",
    ],
    ids=["jpeg", "png", "webp", "webp lossless", "gif", "png text", "behind png", "behind jpeg",
         "behind gif", "behind webp"],
)
def test_metadata_is_left_out(nobody, regular, data):
    assert b"SECRET" in data
    served = nobody.get(set_image(regular, regular.user, data)["image"]).content
    assert b"SECRET" not in served and len(served) < len(data)
    assert pixels(served) == pixels(data)
    assert not Image.open(io.BytesIO(served)).getexif()


def test_how_a_photo_is_turned_is_kept(nobody, regular):
    data = Image.Exif()
    data[0x010E] = "taken at SECRET"
    data[0x0112] = 6
    served = nobody.get(set_image(regular, regular.user, picture("JPEG", exif=data.tobytes()))["image"]).content
    assert b"SECRET" not in served
    assert dict(Image.open(io.BytesIO(served)).getexif()) == {0x0112: 6}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_colour_profiles_are_kept(nobody, regular, form):
    profile = b"a profile" * 20
    data = picture(form, icc_profile=profile)
    served = nobody.get(set_image(regular, regular.user, data)["image"]).content
    assert Image.open(io.BytesIO(served)).info["icc_profile"] == profile


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP"])
def test_animation_is_kept(nobody, regular, form):
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=50, loop=3)
    served = nobody.get(set_image(regular, regular.user, out.getvalue())["image"]).content
    assert len(pixels(served)) == 3
    assert pixels(served) == pixels(out.getvalue())
    assert Image.open(io.BytesIO(served)).info["loop"] == 3


# --- conditions and ranges


@pytest.fixture(scope="module")
def served(service):
    """An address, and what is there."""
    account = service.account()
    url = set_image(account, account.user, picture("PNG", (64, 64)))["image"]
    return url, service.nobody.get(url)


def test_head(nobody, served):
    url, whole = served
    answer = nobody.head(url)
    assert (answer.status_code, answer.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Content-Disposition"):
        assert answer.headers[name] == whole.headers[name]


def test_not_modified(nobody, served):
    url, whole = served
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    assert etag.startswith('"')
    earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)
    for headers, status in [
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"x", W/{etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": modified}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": earlier}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Match": etag}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": f"W/{etag}"}, 412),
        ({"If-Match": f'"x", W/{etag}, {etag}'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Unmodified-Since": modified}, 200),
        ({"If-Unmodified-Since": earlier}, 412),
    ]:
        answer = nobody.get(url, headers=headers)
        assert answer.status_code == status, headers
        if status == 304:
            assert answer.content == b"" and answer.headers["ETag"] == etag
        if status == 412:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Content-Type"] == "application/json"


def test_ranges(nobody, served):
    url, whole = served
    n = len(whole.content)
    for header, start, end in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=5-", 5, n - 1),
        ("bytes=-7", n - 7, n - 1),
        (f"bytes={n - 1}-{n + 100}", n - 1, n - 1),
        (f"bytes=-{n + 1}", 0, n - 1),
        ("BYTES=1-99999999999999999999999", 1, n - 1),
    ]:
        answer = nobody.get(url, headers={"Range": header})
        assert answer.status_code == 206, header
        assert answer.content == whole.content[start : end + 1]
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{n}"
        assert answer.headers["Content-Length"] == str(end - start + 1)
        assert answer.headers["Content-Type"] == "image/png"


def test_ranges_outside(nobody, served):
    url, whole = served
    n = len(whole.content)
    for header in (f"bytes={n}-", f"bytes={n}-{n + 9}", "bytes=-0", "bytes=99999999999999999999-"):
        answer = nobody.get(url, headers={"Range": header})
        assert status_and_json(answer) == (416, {"detail": "The range lies outside of the content."})
        assert answer.headers["Content-Range"] == f"bytes */{n}"
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_single_range_is_answered_with_all(nobody, served):
    url, whole = served
    for header in ("bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "lines=0-1", "bytes 0-1",
                   "bytes=0--1", "bytes=+1-2", ""):
        answer = nobody.get(url, headers={"Range": header})
        assert (answer.status_code, answer.content) == (200, whole.content), header
    assert nobody.head(url, headers={"Range": "bytes=0-1"}).status_code == 200


def test_if_range(nobody, served):
    url, whole = served
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for value, status in [(etag, 206), (modified, 206), ('"x"', 200), (f"W/{etag}", 200), ("yesterday", 200)]:
        answer = nobody.get(url, headers={"Range": "bytes=0-1", "If-Range": value})
        assert answer.status_code == status, value


@pytest.mark.parametrize("uuid", MALFORMED + [UNKNOWN])
def test_there_is_nothing_else(nobody, uuid):
    assert nobody.get(f"/api/media/{uuid}/").status_code == 404


def test_only_get(staff, served):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = staff.request(method, served[0])
        assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert staff.get("/api/media/").status_code == 404


# --- bad input


@pytest.mark.parametrize("value", ["x", "", 1, True, [], {}, "data:image/png;base64,iVBORw0KGgo="])
def test_json_has_no_files(regular, value):
    assert refused(regular, regular.user, json={"image": value}) == [NOT_A_FILE]


def test_a_text_part_is_no_file(regular):
    assert refused(regular, regular.user, files={"image": (None, "x")}) == [NOT_A_FILE]


def test_an_empty_file(regular):
    assert refused(regular, regular.user, files=upload(b"")) == ["The submitted file is empty."]


def test_the_length_of_the_name(regular):
    name = "ä" * 96 + ".png"
    assert set_image(regular, regular.user, png(), name=name)["image"]
    regular.patch(path_of(regular.user), json={"image": None})
    assert refused(regular, regular.user, files=upload(png(), name="x" + name)) == [
        "Ensure this filename has at most 100 characters (it has 101)."
    ]


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"\0" * 1000,
        SVG,
        SVG[21:],
        b"<html><img src=x onerror=alert(1)></html>",
        b"%PDF-1.4\n",
        b"PK\3\4" + b"\0" * 100,
        b"BM" + b"\0" * 100,
        picture("BMP"),
        picture("TIFF"),
        picture("ICO"),
        picture("PPM"),
        PNG_SIGNATURE,
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a\1\0\1\0" + SVG,
        png(data=b"")[:-12],
        png(extra=chunk(b"ABCD", b"")),
        png().replace(b"IDAT", b"IDAX"),
        png()[:-5] + b"\0\0\0\0\0",
        PNG_SIGNATURE + png()[33:],
        png(width=0),
        picture("JPEG")[:-2],
        picture("WEBP")[:-1],
        picture("GIF")[:-1],
    ],
)
def test_what_is_no_picture(regular, data):
    assert refused(regular, regular.user, files=upload(data)) == [INVALID]


@pytest.mark.parametrize("form, kind, extension, options", FORMS)
def test_truncated_pictures(regular, form, kind, extension, options):
    data = picture(form, (4, 4), **options)
    for n in random.sample(range(1, len(data)), 25):
        answer = regular.patch(path_of(regular.user), files=upload(data[:n]))
        assert status_and_json(answer) == (400, {"image": [INVALID]}), n


def test_a_picture_that_claims_to_be_huge(service, regular):
    answer = regular.patch(path_of(regular.user), files=upload(png(60000, 60000)))
    assert status_and_json(answer) == (
        400, {"image": ["Ensure this image has at most 25000000 pixels (it has 60000 x 60000)."]})
    for size in ((0xFFFFFFFF, 0xFFFFFFFF), (2**31 - 1, 1), (5001, 5000)):
        assert "pixels" in refused(regular, regular.user, files=upload(png(*size)))[0]
    assert set_image(regular, regular.user, png(5000, 5000))["image"]


def test_the_limit_of_a_file(regular):
    def of_length(n):
        return png(data=b"\0" * (n - len(png(data=b""))))

    limit = 2 * 1024 * 1024
    assert refused(regular, regular.user, files=upload(of_length(limit + 1))) == [
        "Ensure this file has at most 2097152 bytes (it has 2097153)."
    ]
    url = set_image(regular, regular.user, of_length(limit))["image"]
    assert len(regular.get(url).content) == limit
    assert regular.patch(path_of(regular.user), files=upload(of_length(4 * 1024 * 1024))).status_code == 413


def test_all_problems_at_once(staff):
    answer = staff.post("/api/users/", data={"username": "UPPER", "email": "x"}, files=upload(SVG))
    assert answer.status_code == 400
    assert sorted(answer.json()) == ["email", "image", "username"]
    assert answer.json()["image"] == [INVALID]


@pytest.mark.parametrize(
    "boundary, end",
    [("wrong", b"\r\n--right--\r\n"), ("right", b""), ("right", b"\r\n--right"), ("", b"\r\n--right--\r\n")],
)
def test_wrong_boundaries_and_truncated_uploads(service, regular, boundary, end):
    body = b'--right\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + png() + end
    head = (
        f"PATCH {path_of(regular.user)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Token {regular.token}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    )
    answer = raw_request(service, head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"Multipart form parse error" in answer
    assert regular.get(path_of(regular.user)).json()["image"] is None


def test_random_damage_never_breaks_the_service(service, regular):
    choose = random.Random(20261124)
    for form, _, _, options in FORMS:
        data = picture(form, (4, 4), **options)
        for _ in range(20):
            bad = bytearray(data)
            for _ in range(choose.randint(1, 4)):
                bad[choose.randrange(len(bad))] = choose.randrange(256)
            answer = regular.patch(path_of(regular.user), files=upload(bytes(bad)))
            assert answer.status_code in (200, 400), bytes(bad)
