"""What /api/schema/ promises, and whether an answer keeps it: every answer that a test's client gets is looked at."""

import re
from fnmatch import fnmatchcase

import fastjsonschema

# A method that the path does not have: who may not write there, or see the object, is told that first.
NO_METHOD = {401, 403, 404, 405}
NO_PATH = {401, 404}
# Files, which nginx serves alone.
FILES = re.compile("/api/docs(/.*)?")
# In either form, as in the service.
UUID = "[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"


class Contract:
    def __init__(self, document):
        self.document = document
        # Literal segments win over parameters.
        paths = sorted(document["paths"].items(), key=lambda item: item[0].count("{"))
        self.items = [(pattern_of(path), item) for path, item in paths]
        self.validators = {}

    def check(self, method, path, answer):
        """Fails when the answer is none of those that the document has for the operation."""
        problem = None if FILES.fullmatch(path) else self.problem_with(method, path, answer)
        assert problem is None, (problem, method, path, answer.status_code, answer.content[:1000])

    def problem_with(self, method, path, answer):
        """What is wrong with it; None: nothing."""
        item = self.item_of(path)
        operation = (item or {}).get(("GET" if method == "HEAD" else method).lower())
        if operation is None:
            return self.problem_without_operation(method, path, item, answer)
        response = operation["responses"].get(str(answer.status_code))
        if response is None:
            return "the operation has no such status"
        if method == "HEAD" or answer.status_code == 304:
            return None
        return self.problem_with_content(answer, self.resolve(response).get("content", {}))

    def problem_without_operation(self, method, path, item, answer):
        status = answer.status_code
        if status < 400:
            fine = method == "OPTIONS" or status == 301 and self.item_of(path + "/") is not None
        else:
            fine = status in (NO_PATH if item is None else NO_METHOD)
        return None if fine else "there is no such operation"

    def problem_with_content(self, answer, content):
        media_type = answer.headers.get("Content-Type", "").split(";")[0].strip()
        if not content:
            empty = answer.content == b"" and media_type == ""
            return None if empty else "there should be no body"
        schemas = [part.get("schema") for name, part in content.items() if fnmatchcase(media_type, name)]
        if not schemas:
            return f"the type {media_type!r} is none of {list(content)}"
        if media_type not in ("application/json", "application/problem+json"):
            return None
        try:
            self.validator(schemas[0])(answer.json())
        except fastjsonschema.JsonSchemaException as e:
            return str(e)
        return None

    def item_of(self, path):
        return next((item for pattern, item in self.items if pattern.fullmatch(path)), None)

    def resolve(self, node):
        while "$ref" in node:
            place = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            node = place
        return node

    def validator(self, schema):
        """Compiled when it is first needed."""
        if id(schema) not in self.validators:
            self.validators[id(schema)] = fastjsonschema.compile(
                self.strict(schema), formats={"uuid": rf"{UUID}\Z", "binary": ""}
            )
        return self.validators[id(schema)]

    def strict(self, schema):
        """The schema without references, and objects with no member but those that it names."""
        if isinstance(schema, list):
            return [self.strict(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        schema = self.resolve(schema)
        out = {
            name: {key: self.strict(part) for key, part in value.items()}
            if name == "properties"
            else self.strict(value)
            for name, value in schema.items()
            if name not in ("examples", "description")
        }
        if "properties" in out:
            out.setdefault("additionalProperties", False)
        return out


def pattern_of(path):
    """{uuid} matches one, other parameters any segment."""
    return re.compile(
        "".join(
            UUID if part == "{uuid}" else "[^/]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
    )
