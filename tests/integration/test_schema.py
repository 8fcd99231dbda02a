"""The description of the API at /api/schema/, and whether the service does what it says."""

import json
import re

import jsonschema
import pytest


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


def test_it_is_openapi(schema):
    assert schema["openapi"] == "3.1.0"
    assert set(schema) == {"openapi", "info", "paths", "components"}
    assert schema["components"]["securitySchemes"]["token"]["name"] == "Authorization"


def test_it_has_an_entity_tag(nobody):
    first = nobody.get("/api/schema/")
    again = nobody.get("/api/schema/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


def test_operations_have_what_they_need(schema):
    for path, method, operation in operations(schema):
        assert operation["summary"].endswith("."), (path, method)
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}
        names = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert len(names) == len(set(names)), (path, method, names)
        in_path = {name for where, name in names if where == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), (path, method)


def test_references_lead_somewhere(schema):
    for ref in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(schema)):
        place = schema
        for step in ref.split("/"):
            place = place[step]


def test_components_are_json_schemas(schema):
    for component in schema["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(component)
        assert set(component.get("required", [])) <= set(component["properties"])


def test_methods_are_those_that_are_allowed(staff, schema):
    for path, item in schema["paths"].items():
        if not path.startswith("/api/"):
            continue
        where = re.sub(r"\{\w+\}", "00000000000000000000000000000000", path)
        allowed = set(staff.options(where).headers["Allow"].lower().split(", "))
        assert allowed - {"head", "options"} == set(item), path


def test_answers_are_as_described(staff, schema):
    """Lists of the engine, and the first object of each."""
    looked = 0
    for path, method, operation in operations(schema):
        content = operation["responses"].get("200", {}).get("content", {})
        shape = content.get("application/json", {}).get("schema", {})
        if method != "get" or shape.get("type") != "array" or "{" in path:
            continue
        answer = staff.get(path)
        assert answer.status_code == 200, (path, answer.text)
        name = shape["items"]["$ref"].rsplit("/", 1)[1]
        component = schema["components"]["schemas"][name]
        strict = {**component, "additionalProperties": False}
        jsonschema.Draft202012Validator({"type": "array", "items": strict}).validate(answer.json())
        looked += 1
    assert looked >= 6
