"""`Answer`: what came back, and what it means for the next try."""

import json
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import TypeVar

from chatapp.client.errors import NoAnswer
from chatapp.client.errors import Refused
from chatapp.client.errors import Unauthenticated
from chatapp.client.problem import Problem

PROBLEM_TYPE = "application/problem+json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes = b""

    def document(self) -> dict[str, Any]:
        """What a success brought, {} for 204. Raises Refused, Unauthenticated; NoAnswer for what may be tried again.

        Only the service's own problem documents are final: a page of a gateway or a hotel's network is no answer.
        """
        if self.status == 204:
            return {}
        document = self._json()
        if 200 <= self.status < 300 and document is not None:
            return document
        problem = self._problem(document)
        if problem is None:
            kind = self.headers.get("content-type", "no type")
            raise NoAnswer(f"answered {self.status} ({kind}), which is not from the service: is the URL right?")
        if self.status == 429 or self.status >= 500:
            raise NoAnswer(str(problem), rate_limited=self.status == 429, retry_after_s=self._retry_after_s(problem))
        raise (Unauthenticated if self.status == 401 else Refused)(problem)

    def parsed(self, parse: Callable[[dict[str, Any]], T]) -> T:
        """What `parse` makes of the document. What it cannot read is no answer of the service either."""
        document = self.document()
        try:
            return parse(document)
        except (LookupError, TypeError, ValueError):
            raise NoAnswer(f"answered {self.status}, and not what was asked for: is the URL right?") from None

    def _json(self) -> dict[str, Any] | None:
        try:
            document = json.loads(self.content)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def _problem(self, document: dict[str, Any] | None) -> Problem | None:
        if not self.headers.get("content-type", "").startswith(PROBLEM_TYPE):
            return None
        try:
            return Problem.of(document or {})
        except (KeyError, TypeError, ValueError):
            return None

    def _retry_after_s(self, problem: Problem) -> float | None:
        try:
            exact_ms = problem.document.get("retryAfterMs")
            return float(exact_ms) / 1000 if exact_ms is not None else float(self.headers["retry-after"])
        except (KeyError, TypeError, ValueError):
            return None
