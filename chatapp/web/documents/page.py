"""`/docs`: both documents as a page, without scripts."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import make_response
from flask import render_template
from flask import request
from markupsafe import Markup
from markupsafe import escape

from chatapp.web.documents.documents import Documents
from chatapp.web.documents.openapi import ROOT
from chatapp.wire import event_documents

blueprint = Blueprint("docs", __name__)

# What stands for the parts of a path in the examples.
EXAMPLES = {"room": "general", "messageId": "$ID", "userId": "me"}
# Longer ones say nothing to people.
PATTERN_SHOWN_MAX = 60
# What stands in the page for where the service is, until somebody asks for it.
ROOT_MARK, HOST_MARK = "{{root}}", "{{host}}"
KINDS = {"connection": "Of one connection", "log": "In the log", "signal": "Signals"}


@blueprint.get("/docs")
def page() -> Response:
    text = _rendered(current_app.extensions["documents"])
    for mark, address in ((ROOT_MARK, request.root_path), (HOST_MARK, request.host_url.rstrip("/"))):
        text = text.replace(mark, escape(address))
    response = make_response(text)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@lru_cache(maxsize=1)
def _rendered(documents: Documents) -> str:
    """Without where the service stands: it takes as long as fifty polls, and anybody may ask under any name."""
    calls, events = documents.openapi(request), documents.asyncapi(request)
    return render_template(
        "docs.html",
        info=calls["info"],
        groups=[(tag, list(_calls(calls, tag["name"]))) for tag in calls["tags"]],
        events=[(title, list(_events(events, kind))) for kind, title in KINDS.items()],
        schemas={**events["components"]["schemas"], **calls["components"]["schemas"]},
        security=calls["components"]["securitySchemes"],
        asset=lambda name: ROOT_MARK + current_app.extensions["assets"].path(name),
        root=ROOT_MARK,
        api=HOST_MARK + ROOT_MARK + ROOT,
        pattern_shown_max=PATTERN_SHOWN_MAX,
    )


@blueprint.app_template_filter()
def prose(text: str) -> Markup:
    """Paragraphs, with what stands in backticks as code."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup("".join(f"<p>{part}</p>" for part in marked.split("\n\n")))


@blueprint.app_template_filter()
def ref_name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _calls(document: dict[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    for path, of in document["paths"].items():
        for method, operation in of.items():
            if tag in operation["tags"]:
                answers = [(status, _followed(document, one)) for status, one in operation["responses"].items()]
                yield {
                    **operation,
                    "method": method.upper(),
                    "path": path,
                    "body": operation.get("requestBody", {}).get("content", {}).get("application/json"),
                    "good": [one for one in answers if one[0] < "400"],
                    "refusals": [one for one in answers if one[0] >= "400"],
                    "curl": _curl(method.upper(), path, operation),
                }


def _followed(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer
    if "$ref" in answer:
        found = document["components"]["responses"][ref_name(answer)]
    return found


def _curl(method: str, path: str, operation: dict[str, Any]) -> str:
    address = re.sub(r"\{(\w+)\}", lambda part: EXAMPLES[part[1]], path)
    words = ["curl -N" if operation["operationId"] == "stream" else "curl -s"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if method != ("GET" if body is None else "POST"):
        words.append(f"-X {method}")
    required = [one["name"] for one in operation["parameters"] if one["in"] == "query" and one["required"]]
    query = "?" + "&".join(f"{name}=first-0001" for name in required) if required else ""
    words.append(f'"$API{address}{query}"')
    if operation["security"]:
        words.append('-H "$AUTH"')
    if body is not None:
        words.append(f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}")
    return " ".join(words)


def _events(document: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for type_ in event_documents.EVENTS:
        message = document["components"]["messages"][type_]
        if message["tags"] == [{"name": kind}]:
            yield message
