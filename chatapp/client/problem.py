"""`Problem`: why the service refused something, as its problem document has it (RFC 9457)."""

from dataclasses import dataclass
from dataclasses import field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Branch on `code`; `detail` and `errors` (field → list of texts) are for people. `document` is the whole."""

    code: str
    status: int
    detail: str
    errors: dict[str, list[str]] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Problem":
        """Raises KeyError, TypeError or ValueError for what is no problem document of the service."""
        return cls(
            str(document["code"]),
            int(document["status"]),
            str(document.get("detail") or document.get("title") or ""),
            _errors(document.get("errors")),
            document,
        )

    def __str__(self) -> str:
        fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.errors.items())
        return f"{self.code}: {fields or self.detail}"


def _errors(said: object) -> dict[str, list[str]]:
    """What is for people is no reason to pass over the rest."""
    if not isinstance(said, dict):
        return {}
    return {str(name): [str(text) for text in texts] for name, texts in said.items() if isinstance(texts, list)}
