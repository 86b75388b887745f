"""`Documented`: holds every answer that people get against the served OpenAPI document."""

import re
from copy import deepcopy
from types import TracebackType
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from jsonschema import FormatChecker

from tests.support.person import Person

# What a stream and a signed-out session answer is looked at elsewhere.
BY_STREAM = "stream"


def strict(schemas: Any) -> Any:
    """The same with no field but those that are named: what the document does not know is found."""
    if isinstance(schemas, list):
        return [strict(one) for one in schemas]
    if not isinstance(schemas, dict):
        return schemas
    closed = {name: strict(one) for name, one in schemas.items()}
    if isinstance(closed.get("properties"), dict) and "required" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What a value has that the schema does not allow, a line each."""
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


class Documented:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = {**deepcopy(document), "components": strict(document["components"])}
        self._operations = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), operation)
            for path, of in document["paths"].items()
            for method, operation in of.items()
        ]
        # The parts without a variable first: /messages/status is no message.
        self._operations.sort(key=lambda one: one[1].pattern.count("[^/]+"))
        self._seen: set[str] = set()
        self._people: list[Person] = []

    def __enter__(self) -> "Documented":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for person in self._people:
            person.http.close()

    def watch(self, person: Person) -> Person:
        self._people.append(person)
        self._seen |= {"signIn", "getSession"}
        person.http.event_hooks["response"] = [self.check]
        return person

    def check(self, answer: httpx.Response) -> None:
        """Raises ValidationError, or AssertionError, for what the document does not say."""
        answer.read()
        operation = self._operation(answer.request)
        self._seen.add(operation["operationId"])
        described = operation["responses"].get(str(answer.status_code))
        assert described, f"{operation['operationId']} answers {answer.status_code}"
        described = self._followed(described)
        for name, field in described.get("headers", {}).items():
            assert name in answer.headers, f"{operation['operationId']} has no {name}"
            self._validate(name, self._followed(field)["schema"], answer.headers[name])
        content = described.get("content", {})
        if not content:
            assert answer.content == b""
            return
        media_type = answer.headers["Content-Type"].partition(";")[0]
        assert media_type in content, f"{operation['operationId']}: {media_type}"
        said = answer.text if media_type.startswith("text/") else answer.json()
        self._validate(operation["operationId"], content[media_type]["schema"], said)

    def unseen(self) -> set[str]:
        """The operations that nobody has called."""
        return {operation["operationId"] for _, _, operation in self._operations} - self._seen - {BY_STREAM}

    def _operation(self, request: httpx.Request) -> dict[str, Any]:
        path = request.url.path.removeprefix("/api/v1")
        return next(one for method, form, one in self._operations if method == request.method and form.match(path))

    def _followed(self, one: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in one:
            return one
        found: Any = self._document
        for part in one["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    def _validate(self, what: str, schema: dict[str, Any], value: Any) -> None:
        found = faults({**schema, "components": self._document["components"]}, value)
        assert not found, f"{what}: {found}"
