"""The AsyncAPI document: every event and signal, as the stream says it and as the poll answers it."""

from typing import Any

from chatapp.web.documents.components import Components
from chatapp.web.documents.openapi import LICENSE
from chatapp.web.documents.openapi import ROOT
from chatapp.wire import answers
from chatapp.wire import event_documents

ASYNCAPI = "3.0.0"
STREAM, POLL = f"{ROOT}/events/stream", f"{ROOT}/events/poll"
DESCRIPTION = """Stream and long poll give the same events from the same cursor. A client that keeps its newest cursor
and comes back misses nothing. A *signal* is news beside the log: it has no cursor and is given at most once, if at
all."""
# The answer to a poll, among the messages.
ANSWER = "poll.answer"


def asyncapi() -> dict[str, Any]:
    """The document, without `servers`."""
    components = Components()
    messages = {type_: _message(type_, schema, components) for type_, schema in event_documents.EVENTS.items()}
    messages[ANSWER] = {
        "name": ANSWER,
        "title": "The answer to a poll",
        "contentType": "application/json",
        "payload": components.of([answers.PollSchema]),
    }
    return {
        "asyncapi": ASYNCAPI,
        "info": {"title": "chatapp", "version": "1", "description": DESCRIPTION, "license": {"name": LICENSE["name"]}},
        "defaultContentType": "application/json",
        "channels": {
            "stream": _channel(STREAM, "Server-Sent Events.", list(event_documents.EVENTS)),
            "poll": _channel(POLL, "Long poll.", [ANSWER]),
        },
        "operations": {
            "sendEvents": _operation("stream", "Each event as it comes.", list(event_documents.EVENTS)),
            "answerPoll": _operation("poll", "The events behind a cursor, once there are any.", [ANSWER]),
        },
        "components": {
            "messages": messages,
            "schemas": components.document(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _message(type_: str, schema: type[event_documents.EventSchema], components: Components) -> dict[str, Any]:
    return {
        "name": type_,
        "title": type_,
        "summary": " ".join((schema.__doc__ or "").split()),
        "description": f"Seen by {schema.seen_by}.",
        "tags": [{"name": schema.kind}],
        "contentType": "application/json",
        "payload": components.of([schema]),
    }


def _channel(address: str, description: str, types: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in types},
    }


def _operation(channel: str, summary: str, types: list[str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "security": [{"$ref": "#/components/securitySchemes/bearer"}],
        "bindings": {"http": {"method": "GET", "bindingVersion": "0.3.0"}},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{type_}"} for type_ in types],
    }
