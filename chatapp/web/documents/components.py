"""`Components`: marshmallow's schemas as the JSON Schema of both documents, each under one name."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow import fields

from chatapp.wire import content
from chatapp.wire import documents
from chatapp.wire import event_documents
from chatapp.wire import shapes

OPENAPI = "3.1.0"
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1

# What JSON Schema says of `wire/content`: neither bytes nor depth can be said in it.
DATA = {
    "type": "object",
    "description": f"At most {content.DATA_MAX_BYTES // 1024} KiB as JSON without spaces in UTF-8, with at most "
    f"{content.DATA_MAX_DEPTH} objects and lists in one another.",
    "additionalProperties": {"$ref": "#/components/schemas/DataValue"},
}
DATA_VALUE = {
    "anyOf": [
        {"type": ["null", "boolean", "string"]},
        {"type": "number", "minimum": INTEGER_MIN, "maximum": INTEGER_MAX},
        {"type": "array", "items": {"$ref": "#/components/schemas/DataValue"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/DataValue"}},
    ]
}


class Components:
    """Knows what it was asked for, and all that stands in it."""

    def __init__(self) -> None:
        self._kinds: dict[str, type[Schema]] = {}
        self._plugin = MarshmallowPlugin(schema_name_resolver=self._name_of)
        self._spec = APISpec("chatapp", "1", OPENAPI, plugins=[self._plugin])
        self._plugin.map_to_openapi_type(documents.Moment, "string", "date-time")
        self._converter.add_attribute_function(_rules)

    @property
    def _converter(self) -> OpenAPIConverter:
        found = self._plugin.converter
        assert found is not None
        return found

    def of(self, kinds: Iterable[type[Schema]]) -> dict[str, Any]:
        """A reference to the schema, or to any one of several."""
        refs = [self._converter.resolve_nested_schema(schema) for schema in kinds]
        return refs[0] if len(refs) == 1 else {"anyOf": refs}

    def document(self) -> dict[str, Any]:
        """All that was asked for, by name."""
        found: dict[str, Any] = {**self._spec.components.schemas}
        for name in list(found):
            found[name] = _whole(self._kinds[name], found[name])
        if "#/components/schemas/Data" in str(found):
            found |= {"Data": DATA, "DataValue": DATA_VALUE}
        return dict(sorted(found.items()))

    def _name_of(self, schema: type[Schema] | Schema) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        name = kind.__name__.removesuffix("Schema")
        if issubclass(kind, event_documents.EventSchema):
            name = "".join(word.capitalize() for word in kind.event_type.split(".")) + "Event"
        self._kinds[name] = kind
        return name


def _whole(kind: type[Schema], document: Mapping[str, Any]) -> dict[str, Any]:
    """With what stands beside the fields of the class."""
    whole = {**document, **getattr(kind, "json_schema", {})}
    if "__doc__" in vars(kind) and kind.__doc__:
        whole["description"] = " ".join(kind.__doc__.split())
    if issubclass(kind, event_documents.EventSchema):
        whole["properties"] = {"type": {"type": "string", "const": kind.event_type}, **whole["properties"]}
        whole["required"] = ["type", *whole["required"]]
    return whole


def _rules(self: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What our own fields and rules say of themselves."""
    # Each schema goes one way: to say so of every field is noise.
    ret.pop("readOnly", None)
    ret.pop("writeOnly", None)
    if isinstance(field, shapes.AnyOf | event_documents.Data):
        refs = [self.resolve_nested_schema(schema) for schema in field.schemas]
        if isinstance(field, event_documents.Data):
            return {"contentMediaType": "application/json", "contentSchema": {"anyOf": refs}}
        return {"anyOf": refs}
    said = dict(getattr(field, "json_schema", {}))
    for rule in field.validators:
        said |= getattr(rule, "json_schema", {})
    found = {name: value for name, value in said.items() if name not in field.metadata}
    return {name: value() if callable(value) else value for name, value in found.items()}
