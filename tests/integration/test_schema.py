"""The description of the API at /api/schema/, and whether the service does what it says."""

import copy
import json
import re

import fastjsonschema
import pytest
import yaml
from contract import Contract
from service import unique
from wire import exchange, request_bytes


def once(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


@pytest.fixture(scope="module")
def schema(nobody):
    return json.loads(nobody.get("/api/schema/").text, object_pairs_hook=once)


def operations(schema):
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(schema, node):
    while "$ref" in node:
        place = schema
        for step in node["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        node = place
    return node


def test_it_is_openapi(schema):
    assert schema["openapi"] == "3.1.0"
    assert set(schema) == {"openapi", "info", "servers", "tags", "paths", "components"}
    assert schema["components"]["securitySchemes"]["token"]["name"] == "Authorization"
    # None of the kinds that have a page to link to; and without a link a well-known validator refuses it.
    assert "license" not in schema["info"]


def test_it_has_an_entity_tag(nobody):
    first = nobody.get("/api/schema/")
    again = nobody.get("/api/schema/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_it_is_compressed_for_who_takes_that(nobody, format):
    plain = nobody.get(f"/api/schema/?format={format}", headers={"Accept-Encoding": "identity"})
    small = nobody.get(f"/api/schema/?format={format}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in small.headers["Vary"]
    assert small.content == plain.content
    assert small.headers["ETag"] == "W/" + plain.headers["ETag"]
    for answer in (plain, small):
        tag = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}
        assert nobody.get(f"/api/schema/?format={format}", headers=tag).status_code == 304


def test_other_answers_are_not_compressed(staff):
    """Their ETag would be a weak one, which If-Match does not take."""
    answer = staff.get("/api/users/me/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers and answer.headers["ETag"].startswith('"')


def test_operations_have_what_they_need(schema):
    for path, method, operation in operations(schema):
        assert operation["summary"].endswith("."), (path, method)
        assert operation["responses"]["400"] == {"$ref": "#/components/responses/BadRequest"}
        assert min(operation["responses"]) < "300", (path, method)
        parameters = [resolved(schema, p) for p in operation["parameters"]]
        names = [(p["in"], p["name"]) for p in parameters]
        assert len(names) == len(set(names)), (path, method, names)
        in_path = {name for where, name in names if where == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), (path, method)


# What is answered only to who sends a header, and the header.
CONDITIONS = {
    "206": "Range",
    "304": "If-None-Match",
    "409": "Idempotency-Key",
    "412": "If-Match",
    "422": "Idempotency-Key",
}


def headers_of(schema, path, method="get"):
    listed = [resolved(schema, p) for p in schema["paths"][path][method]["parameters"]]
    return {p["name"] for p in listed if p["in"] == "header"}


def test_conditions_are_headers_and_answers(schema):
    for path, method, operation in operations(schema):
        headers = headers_of(schema, path, method)
        for status, header in CONDITIONS.items():
            assert (status in operation["responses"]) == (header in headers), (path, method, status)
    assert headers_of(schema, "/api/schema/") == {"If-None-Match"}
    assert headers_of(schema, "/api/media/{uuid}/") == {
        "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range"
    }  # fmt: skip
    assert set(schema["paths"]["/api/schema/"]["get"]["responses"]["200"]["headers"]) == {"ETag"}
    picture = schema["paths"]["/api/media/{uuid}/"]["get"]["responses"]
    assert set(picture["200"]["headers"]) == {"ETag", "Last-Modified"}
    assert set(picture["206"]["headers"]) == {"Content-Range", "ETag", "Last-Modified"}


def test_a_body_that_is_too_large_is_refused_everywhere(service, schema):
    for path, method, _ in operations(schema):
        where = re.sub(r"\{\w+\}", "00000000000000000000000000000000", path)
        head = request_bytes(method.upper(), where, [("Content-Length", str(17 << 20))])
        answer = exchange(service, head)
        assert answer.status_code == 413
        service.contract.check(method.upper(), where, answer)


@pytest.mark.parametrize(("status", "header"), [(501, ("Transfer-Encoding", "gzip")), (431, ("X", "x" * 40000))])
def test_what_nginx_refuses_is_described(service, schema, status, header):
    for path, method, _ in operations(schema):
        where = re.sub(r"\{\w+\}", "00000000000000000000000000000000", path)
        answer = exchange(service, request_bytes(method.upper(), where, [header]))
        assert answer.status_code == status
        service.contract.check(method.upper(), where, answer)


def test_too_many_requests_are_described(schema):
    """Anywhere: the site that is installed limits how many a client may send."""
    for path, method, operation in operations(schema):
        assert "Retry-After" in resolved(schema, operation["responses"]["429"])["headers"], (path, method)


def test_tags_say_what_they_are(schema):
    tags = {tag["name"]: tag["description"] for tag in schema["tags"]}
    assert len(tags) == len(schema["tags"])
    assert set(tags) == {tag for _, _, operation in operations(schema) for tag in operation["tags"]}
    assert all(text.endswith(".") for text in tags.values())


def test_references_lead_somewhere(schema):
    for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema)):
        assert ref.startswith("#/")
        resolved(schema, {"$ref": ref})


def test_components_require_what_they_have(schema):
    for component in schema["components"]["schemas"].values():
        assert set(component.get("required", [])) <= set(component.get("properties", []))


def test_security_is_of_the_schemes(schema):
    demanded = {name for _, _, operation in operations(schema) for way in operation["security"] for name in way}
    assert demanded == set(schema["components"]["securitySchemes"])


def examples(node):
    """Each example below the node, with the schema that it is of."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield from ((node, example) for example in node["examples"])
        if "example" in node:
            yield node["schema"], node["example"]
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from examples(part)


def test_examples_fit_their_schemas(schema):
    contract = Contract(schema)
    for of, example in examples(schema):
        contract.validator(of)(example)


def test_a_wrong_example_is_seen(schema):
    wrong = copy.deepcopy(schema)
    wrong["components"]["schemas"]["User"]["properties"]["uuid"]["examples"] = [7]
    with pytest.raises(fastjsonschema.JsonSchemaException):
        test_examples_fit_their_schemas(wrong)


def test_methods_are_those_that_are_allowed(staff, schema):
    for path, item in schema["paths"].items():
        if not path.startswith("/api/"):
            continue
        where = re.sub(r"\{\w+\}", "00000000000000000000000000000000", path)
        allowed = set(staff.options(where).headers["Allow"].lower().split(", "))
        assert allowed - {"head", "options"} == set(item), path


def test_operation_ids_are_unique(schema):
    """Also when a generator makes another kind of name of them, without underscores."""
    ids = [operation["operationId"].replace("_", "").lower() for _, _, operation in operations(schema)]
    assert len(ids) == len(set(ids))


# As the reference's examples in Python and JavaScript call them.
REFERENCE = {
    "get /api/users/": "users_list",
    "post /api/users/": "users_create",
    "get /api/users/{uuid}/": "users_retrieve",
    "put /api/users/{uuid}/": "users_update",
    "patch /api/users/{uuid}/": "users_partial_update",
    "delete /api/users/{uuid}/": "users_destroy",
    "get /api/users/me/": "users_me_retrieve",
    "get /api/users/{uuid}/token/": "users_token_retrieve",
    "post /api/users/{uuid}/cancel_change_email/": "users_cancel_change_email",
    "post /api/users/{uuid}/change_email/": "users_change_email",
    "post /api/users/{uuid}/change_password/": "users_change_password",
    "post /api/users/{uuid}/pull_remote_user/": "users_pull_remote_user",
    "post /api/users/{uuid}/refresh_token/": "users_refresh_token",
    "post /api/users/confirm_email/": "users_confirm_email",
}


def test_operations_are_called_as_in_the_reference(schema):
    ids = {f"{method} {path}": operation["operationId"] for path, method, operation in operations(schema)}
    assert {place: ids[place] for place in REFERENCE} == REFERENCE
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in ids.values())


def test_every_field_says_what_it_is(schema):
    for name, component in schema["components"]["schemas"].items():
        for field, shape in component.get("properties", {}).items():
            assert "type" in shape, (name, field)
            assert name == "Problem" or shape["description"], (name, field)


def test_fields_are_null_where_their_columns_are(service, schema):
    """A column of users that may be NULL is one that clients are told about."""
    nullable = dict(
        service.sql(
            "SELECT column_name, is_nullable FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = 'users'",
            service.database,
        )
    )
    for field, shape in schema["components"]["schemas"]["User"]["properties"].items():
        if field in nullable:
            assert ("null" in shape["type"]) == (nullable[field] == "YES"), field


def test_yaml_says_the_same(nobody, schema):
    by_query = nobody.get("/api/schema/?format=yaml")
    assert by_query.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(by_query.text) == schema
    by_accept = nobody.get("/api/schema/", headers={"Accept": "application/yaml"})
    assert by_accept.content == by_query.content
    assert by_accept.headers["ETag"] == by_query.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "accept", "status", "type"),
    [
        ("/api/schema/", "*/*", 200, "application/json"),
        ("/api/schema/", "application/json", 200, "application/json"),
        ("/api/schema/?format=json", "application/yaml, */*;q=0.1", 200, "application/json"),
        ("/api/schema/?format=yaml", "text/html", 200, "application/yaml"),
        ("/api/schema/", "application/yaml;q=0, application/json", 200, "application/json"),
        ("/api/schema/", "text/html", 406, "application/json"),
        ("/api/schema/?format=xml", "*/*", 200, "application/json"),
    ],
)
def test_format(nobody, path, accept, status, type):
    answer = nobody.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, type)


def test_formats_are_named(schema):
    (format,) = (p for p in schema["paths"]["/api/schema/"]["get"]["parameters"] if p.get("name") == "format")
    assert format["schema"] == {"type": "string", "enum": ["json", "yaml"], "examples": ["json"]}


def parameters_of(schema, path):
    """What kind of value each parameter of a GET's query takes."""
    listed = [resolved(schema, p) for p in schema["paths"][path]["get"]["parameters"]]
    return {
        p["name"]: p["schema"].get("format") or p["schema"]["type"] for p in listed if p["in"] == "query"
    }


def test_users_are_looked_for_as_in_the_reference(schema):
    kinds = {
        "string": "civil_number description email full_name job_title native_name organization phone_number query"
        " registration_method user_keyword username username_list",
        "boolean": "is_active is_staff is_support",
        "date-time": "agreement_date date_joined modified",
        "uuid": "customer_uuid project_uuid",
        "array": "field o organization_roles project_roles",
        "integer": "page_size",
    }
    expected = {name: kind for kind, names in kinds.items() for name in names.split()}
    besides = {"page": "string", "cursor": "string"}  # a page may be called "last"
    assert parameters_of(schema, "/api/users/") == {**expected, **besides}


def test_what_is_for_staff_says_so(staff, service, schema):
    """Whoever is not staff is refused there, whatever he sends."""
    regular = service.account()
    for path, method, operation in operations(schema):
        if operation.get("description") == "For staff alone.":
            where = re.sub(r"\{\w+\}", "00000000000000000000000000000000", path)
            assert regular.request(method.upper(), where).status_code == 403, (method, path)


def test_a_project_s_customer_is_a_uuid(schema):
    assert parameters_of(schema, "/api/projects/")["customer"] == "uuid"


def test_removed_projects_are_asked_for(schema):
    assert parameters_of(schema, "/api/projects/")["include_terminated"] == "boolean"


def test_uuids_say_that_they_are(schema):
    user = schema["components"]["schemas"]["User"]["properties"]
    assert user["uuid"]["format"] == "uuid"
    assert user["url"]["format"] == "uri"


# Each resource that a body changes, and what makes an object of it, to which make() adds.
BODIES = {
    "/api/customers/": lambda: {"name": unique("Customer")},
    "/api/identity-providers/": lambda: {"name": unique("idp")},
    "/api/projects/": lambda: {"name": unique("Project")},
    "/api/roles/": lambda: {"name": unique("ROLE"), "content_type": "project", "permissions": []},
    "/api/user-agreements/": lambda: {"content": "Be kind.", "agreement_type": "PP"},
    "/api/users/": None,
}


def make(service, path):
    if path == "/api/users/":
        return service.create()
    body = BODIES[path]()
    if path == "/api/projects/":
        body["customer"] = make(service, "/api/customers/")["url"]
    if path == "/api/user-agreements/":
        service.sql("DELETE FROM user_agreements")
    answer = service.staff.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def required(schema, path, method):
    content = schema["paths"][path][method]["requestBody"]["content"]
    bodies = [resolved(schema, part["schema"]) for part in content.values()]
    assert all(body == bodies[0] for body in bodies)
    return {name: ["This field is required."] for name in bodies[0].get("required", [])}


def missed(answer):
    return {} if answer.status_code < 300 else answer.json()


def test_every_resource_that_changes_is_tried(schema):
    assert set(BODIES) == {path.removesuffix("{uuid}/") for path, method, _ in operations(schema) if method == "put"}


@pytest.mark.parametrize("path", BODIES)
def test_what_a_change_requires(service, staff, schema, path):
    one = f"{path}{make(service, path)['uuid']}/"
    assert missed(staff.put(one, json={})) == required(schema, f"{path}{{uuid}}/", "put")
    assert missed(staff.patch(one, json={})) == required(schema, f"{path}{{uuid}}/", "patch") == {}


@pytest.mark.parametrize("path", [*BODIES, "/api/keys/", "/api-auth/password/"])
def test_what_a_new_one_requires(staff, schema, path):
    assert missed(staff.post(path, json={})) == required(schema, path, "post") != {}


def example_of(schema, field):
    """What the page at /api/docs/ puts into a body that somebody tries out."""
    field = resolved(schema, field)
    if field["type"] == "array":
        return [example_of(schema, field["items"])]
    if field["type"] == "object":
        return {name: example_of(schema, part) for name, part in field["properties"].items()}
    return field["examples"][0]


def test_examples_are_taken(daemon, schema):
    one = daemon()
    given = {"/api/projects/": {"customer": make(one, "/api/customers/")["url"]}}
    for path in [*BODIES, "/api/keys/"]:
        body = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        answer = one.staff.post(path, json={**example_of(schema, body), **given.get(path, {})})
        assert answer.status_code == 201, (path, answer.text)
        made = answer.json()
        dangers = ("is_staff", "is_support", "blocked", "archived", "allow_internal")
        assert not any(made.get(name) for name in dangers), path


def test_the_example_of_a_grant_is_taken(service, staff, schema):
    """Its role is one of projects, and its end still to come."""
    example = example_of(schema, {"$ref": "#/components/schemas/ProjectsAddUserRequest"})
    user = service.create()
    answer = staff.post(make(service, "/api/projects/")["url"] + "add_user/", json={**example, "user": user["uuid"]})
    assert answer.status_code == 201, answer.text


def test_a_body_is_one_component(schema):
    """Else orval's clients send JSON as plain text, since they do not know which of the forms is meant."""
    for path, method, operation in operations(schema):
        content = operation.get("requestBody", {"content": {}})["content"].values()
        refs = {part["schema"]["$ref"] for part in content}
        assert len(refs) <= 1, (path, method, refs)


def test_a_picture_is_a_file_and_tried_out_as_none(schema):
    image = schema["components"]["schemas"]["UserUpdate"]["properties"]["image"]
    assert (image["type"], image["format"], image["examples"]) == (["string", "null"], "binary", [None])


def test_what_is_no_json_says_what_it_is(schema):
    for path, _, operation in operations(schema):
        for answer in operation["responses"].values():
            for type, part in resolved(schema, answer).get("content", {}).items():
                assert "schema" in part, (path, type)
    picture = schema["paths"]["/api/media/{uuid}/"]["get"]["responses"]
    assert picture["200"]["content"] == {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    assert set(picture["206"]["content"]) == {"image/*", "multipart/byteranges"}


def listed(schema):
    """Each list, and its parameters of the query by name."""
    for path, item in schema["paths"].items():
        parameters = [resolved(schema, p) for p in item.get("get", {}).get("parameters", [])]
        query = {p["name"]: p for p in parameters if p["in"] == "query"}
        if "page_size" in query:
            yield path, query


def test_orders_are_those_that_are_taken(service, staff, schema):
    for path, query in listed(schema):
        where = path.replace("{uuid}", make(service, path.split("{")[0])["uuid"]) if "{" in path else path
        orders = resolved(schema, query["o"]["schema"]["items"])["enum"]
        assert staff.get(where, params={"o": orders}).status_code == 200, path
        assert staff.get(where, params={"o": "nothing"}).status_code == 400
        fields = resolved(schema, query["field"]["schema"]["items"])["enum"]
        item = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["items"]
        assert fields == list(resolved(schema, item)["properties"])


def test_filters_say_what_they_do(schema):
    users = dict(listed(schema))["/api/users/"]
    assert users["username"]["description"].endswith(" Only with exactly this value.")
    assert users["email"]["description"].endswith(" Only with this as a part of it, whatever the case.")
    assert users["date_joined"]["description"].endswith(" Only from this time on.")


def test_parameters_say_what_they_are(schema):
    for path, _, operation in operations(schema):
        for parameter in operation["parameters"]:
            assert resolved(schema, parameter)["description"].endswith("."), (path, parameter)


def test_values_are_listed(service, schema):
    parts = schema["components"]["schemas"]
    scopes = ["customer", "project"]
    permissions = {name for (name,) in service.sql("SELECT DISTINCT permission FROM role_permissions")}
    assert parts["Role"]["properties"]["content_type"]["enum"] == scopes
    assert parts["RoleCreate"]["properties"]["content_type"]["enum"] == scopes
    assert set(parts["Role"]["properties"]["permissions"]["items"]["enum"]) >= permissions
    assert parts["UserPermission"]["properties"]["scope_type"]["enum"] == scopes
    events = dict(listed(schema))["/api/events/"]["event_type"]["schema"]["enum"]
    assert {event for (event,) in service.sql("SELECT DISTINCT event FROM audit_events")} <= set(events)


def test_objects_of_any_names_say_so(schema):
    """Else a generator takes them for objects without members."""
    parts = schema["components"]["schemas"]
    assert parts["Event"]["properties"]["changes"]["additionalProperties"] == {}
    texts = {"type": "array", "items": {"type": "string"}}
    assert parts["Problem"]["properties"]["errors"]["additionalProperties"] == texts


def test_an_error_of_one_kind_is_that_kind(schema):
    content = schema["components"]["responses"]["Forbidden"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Detail"}
    answer = schema["paths"]["/api/roles/{uuid}/enable/"]["post"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Detail"}


def test_a_role_is_put_whole(schema):
    assert set(required(schema, "/api/roles/{uuid}/", "put")) == {"name", "content_type", "permissions"}
    assert required(schema, "/api/users/{uuid}/", "put") == {}


class Answer:
    """As much of an answer as is held against the description."""

    def __init__(self, status, body, media_type="application/json"):
        self.status_code = status
        self.text = body
        self.content = body.encode()
        self.headers = {"Content-Type": media_type} if media_type else {}

    def json(self):
        return json.loads(self.text)


ROLE = "/api/roles/3f2b8e4d9a514c078d6e1b2c3d4e5f60/"


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", ROLE, Answer(200, '{"name": "a"}')),
        ("GET", ROLE, Answer(304, "", None)),
        ("HEAD", ROLE, Answer(200, "")),
        ("GET", ROLE, Answer(404, '{"detail": "No Role matches the given query."}')),
        ("GET", "/api/roles/", Answer(200, '[{"name": "a"}, {}]')),
        ("DELETE", ROLE, Answer(204, "", None)),
        ("DELETE", ROLE, Answer(400, '["Role is still used."]')),
        ("PUT", "/api/roles/", Answer(405, '{"detail": "..."}')),
        ("OPTIONS", "/api/roles/", Answer(200, "", None)),
        ("GET", "/api/roles", Answer(301, "", "text/html")),
        ("GET", "/api/nothing/", Answer(404, '{"detail": "Not found."}')),
        ("GET", "/api/docs/", Answer(200, "", "text/html")),
        ("GET", ROLE, Answer(200, '{"uuid": "3f2b8e4d-9a51-4c07-8d6e-1b2c3d4e5f60"}')),
        ("GET", "/api/users/me/", Answer(200, '{"ip_address": null}')),
    ],
)
def test_contract_lets_pass(service, method, path, answer):
    service.contract.check(method, path, answer)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", ROLE, Answer(200, '{"name": "a", "surplus": 1}')),
        ("GET", ROLE, Answer(200, '{"name": null}')),
        ("GET", ROLE, Answer(200, '{"name": 1}')),
        ("GET", ROLE, Answer(200, '{"uuid": "3f2b8e4d"}')),
        ("GET", ROLE, Answer(200, '{"name": "a"}', "text/plain")),
        ("GET", ROLE, Answer(201, '{"name": "a"}')),
        ("GET", ROLE, Answer(404, '{"error": "no"}')),
        ("GET", "/api/roles/", Answer(200, '[{"name": 1}]')),
        ("DELETE", ROLE, Answer(204, "{}")),
        ("PUT", "/api/roles/", Answer(204, "", None)),
        ("PUT", "/api/roles/", Answer(200, "{}")),
        ("GET", "/api/nothing/", Answer(200, "{}")),
        ("GET", "/api/nothing/", Answer(403, '{"detail": "..."}')),
        ("GET", "/api/nothing", Answer(301, "", "text/html")),
        ("GET", ROLE.replace("roles", "users"), Answer(200, '{"ip_address": null}')),
    ],
)
def test_contract_refuses(service, method, path, answer):
    with pytest.raises(AssertionError):
        service.contract.check(method, path, answer)
