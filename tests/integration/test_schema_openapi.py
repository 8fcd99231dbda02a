"""The description of the API at /api/schema/ is OpenAPI 3.1, as the OpenAPI Initiative's own schemas have it."""

import copy
import functools
import json
import operator
from pathlib import Path

import jsonschema
import pytest
import yaml

SCHEMAS = [json.loads(file.read_text()) for file in (Path(__file__).parent / "openapi").glob("*.json")]
# That of documents leaves open what a Schema Object is. Here it is one of the dialect that the specification names,
# at any depth. A URL, as references are resolved against it.
WHOLE = {
    "$id": "https://roster.example/openapi",
    "$ref": "https://spec.openapis.org/oas/3.1/schema/2025-11-23",
    "$defs": {"schema": {"$dynamicAnchor": "meta", "$ref": "https://spec.openapis.org/oas/3.1/dialect/base"}},
}
VALIDATOR = jsonschema.Draft202012Validator(
    WHOLE,
    resolver=jsonschema.RefResolver.from_schema(WHOLE, store={schema["$id"]: schema for schema in SCHEMAS}),
    format_checker=jsonschema.draft202012_format_checker,
)


def problems(document):
    """Where, and the keywords that say so. What is around a wrong part is wrong for that alone, and left out."""
    found = {(tuple(error.absolute_path), error.validator) for error in VALIDATOR.iter_errors(document)}
    return {(place, keyword) for place, keyword in found if len(place) == max(len(place) for place, _ in found)}


@pytest.mark.parametrize(("format", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_it_is_accepted(nobody, format, load):
    assert problems(load(nobody.get(f"/api/schema/?format={format}").text)) == set()


def keep(members, *names):
    for name in members.keys() - names:
        del members[name]


@pytest.fixture(scope="module")
def extract(nobody):
    """As much of the document as the damages below need, to be quick; it is accepted."""
    document = nobody.get("/api/schema/?format=json").json()
    keep(document["paths"], "/api/users/", "/api/users/{uuid}/")
    keep(document["paths"]["/api/users/{uuid}/"], "get")
    del document["paths"]["/api/users/"]["get"]["parameters"][1:]
    keep(document["components"]["schemas"], "User")
    keep(document["components"]["schemas"]["User"]["properties"], "affiliations", "email")
    keep(document["components"]["responses"], "NotFound")
    assert problems(document) == set()
    return document


GONE = object()
USERS = ("paths", "/api/users/")
LIST = (*USERS, "get")
LISTED = (*LIST, "responses", "200", "content", "application/json")
FILTER = (*LIST, "parameters", 0)
NOT_FOUND = ("components", "responses", "NotFound")
USER = ("components", "schemas", "User")
EMAIL = (*USER, "properties", "email")

# A member of the object at this place, what it becomes, and the keyword that refuses it.
DAMAGES = [
    ((), "openapi", "3.0.3", "pattern"),
    ((), "swagger", "2.0", "unevaluatedProperties"),
    (("info",), "title", GONE, "required"),
    (("servers", 0), "url", GONE, "required"),
    (("paths",), "api/users/", {}, "unevaluatedProperties"),
    (USERS, "fetch", {}, "unevaluatedProperties"),
    (LIST, "sumary", "Lists users.", "unevaluatedProperties"),
    (LIST, "operationId", 7, "type"),
    (LIST, "security", {"token": []}, "type"),
    (FILTER, "name", GONE, "required"),
    (FILTER, "in", GONE, "required"),
    (FILTER, "in", "body", "enum"),
    (FILTER, "schema", GONE, "oneOf"),
    (("paths", "/api/users/{uuid}/", "get", "parameters", 0), "required", False, "const"),
    ((*USERS, "post", "requestBody"), "content", GONE, "required"),
    ((*LIST, "responses"), "OK", {"description": "OK"}, "unevaluatedProperties"),
    (LISTED, "shema", {}, "unevaluatedProperties"),
    (NOT_FOUND, "description", GONE, "required"),
    (("components",), "shemas", {}, "unevaluatedProperties"),
    (("components", "headers", "ETag"), "in", "header", "unevaluatedProperties"),
    (("components", "securitySchemes", "token"), "in", "body", "enum"),
    (USER, "required", "uuid", "type"),
    (USER, "properties", ["uuid"], "type"),
    (USER, "xml", 7, "type"),
    (EMAIL, "type", "strin", "anyOf"),
    (EMAIL, "maxLength", -1, "minimum"),
    (EMAIL, "pattern", "(", "format"),
    ((*USER, "properties", "affiliations", "items"), "type", 7, "anyOf"),
    ((*LISTED, "schema", "items"), "type", "strin", "anyOf"),
    ((*FILTER, "schema"), "enum", "alice", "type"),
    (("components", "headers", "ETag", "schema"), "type", "strin", "anyOf"),
]
# These are about the whole object.
ABOUT_MEMBERS = ("required", "oneOf", "unevaluatedProperties")


@pytest.mark.parametrize(("place", "member", "value", "keyword"), DAMAGES)
def test_damage_is_refused(extract, place, member, value, keyword):
    document = copy.deepcopy(extract)
    damaged = functools.reduce(operator.getitem, place, document)
    if value is GONE:
        del damaged[member]
    else:
        damaged[member] = value
    assert problems(document) == {(place if keyword in ABOUT_MEMBERS else (*place, member), keyword)}
