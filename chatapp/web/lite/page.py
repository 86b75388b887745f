"""`page`: one HTML document of these pages, with the header fields that all of them have."""

import math
from typing import Any

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import redirect
from flask import render_template
from flask import url_for

from chatapp.errors import ChatError
from chatapp.web.answers import NOT_KEPT
from chatapp.web.security_headers import policy

ROOT = "/lite"

blueprint = Blueprint("lite", __name__, url_prefix=ROOT)

# The log stands in a frame of the room's page: only these two addresses know of frames.
AROUND_A_FRAME = policy(frame_src="'self'")
IN_A_FRAME = policy(frame_ancestors="'self'")

# Where a form's answer has another status than the API's: a 401 names a way to sign in, which browsers would try
# themselves, and of 422 old ones know nothing.
_STATUS = {"unauthenticated": 403, "invalid_message": 400, "local_id_reused": 409}


def is_here(path: str) -> bool:
    """Whether the address is one of these pages."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def page(template: str, error: ChatError | None = None, csp: str | None = None, **values: Any) -> Response:
    """The page, as the answer of a request that went well or met this error."""
    status = 200 if error is None else _STATUS.get(error.code, error.status)
    response = make_response(render_template(f"lite/{template}.html", **values), status)
    response.headers.extend([NOT_KEPT])
    if csp is not None:
        response.headers["Content-Security-Policy"] = csp
    if error is not None and error.retry_after_s is not None:
        response.headers["Retry-After"] = str(seconds(error.retry_after_s))
    return response


def seconds(wait_s: float) -> int:
    """Whole seconds to wait, as they are shown and sent."""
    return max(1, math.ceil(wait_s))


def go_to(endpoint: str, anchor: str | None = None, **values: Any) -> Response:
    """On to another page, which a reload then asks for instead of sending a form again."""
    response = make_response(redirect(url_for(f"lite.{endpoint}", _anchor=anchor, **values), 303))
    response.headers.extend([NOT_KEPT])
    return response
