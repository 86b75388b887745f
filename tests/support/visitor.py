"""A person whose browser runs no script: pages, links and forms, and a cookie."""

from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser
from types import TracebackType

import httpx

from tests.support.person import Person

VOID = {"input", "meta", "link", "br"}


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Document(HTMLParser):
    """What stands on a page, as far as tests ask for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.frames: list[str] = []
        self.metas: dict[str, str] = {}
        self.said = ""
        # Of each message.
        self.bodies: list[str] = []
        self.notes: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._fresh_textarea = False
        self.feed(text)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in given}
        self.elements.append((tag, attributes))
        kind = attributes.get("class", "")
        if tag == "br" and self._within("body"):
            self.bodies[-1] += "\n"
        elif tag == "meta":
            name = attributes.get("name") or attributes.get("http-equiv") or ""
            self.metas[name] = attributes.get("content", "")
        elif tag == "form":
            self.forms.append(Form(attributes["action"].partition("#")[0], attributes["method"]))
        elif tag == "iframe":
            self.frames.append(attributes["src"])
        elif tag in ("input", "textarea") and "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        elif kind == "body":
            self.bodies.append("")
        elif kind == "notes":
            self.notes.append("")
        self._fresh_textarea = tag == "textarea"
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1][0] == tag, f"</{tag}> ends <{self._open[-1][0]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        tag, attributes = self._open[-1]
        if tag == "textarea" and "name" in attributes:
            # As browsers do: the first line break is the source's.
            self.forms[-1].fields[attributes["name"]] += data.removeprefix("\n") if self._fresh_textarea else data
            self._fresh_textarea = False
        elif address := self._address():
            self.links[data.strip()] = address
        elif tag == "button":
            self.forms[-1].buttons.append(data)
        elif attributes.get("role") == "alert":
            self.said += data
        if self._within("body"):
            self.bodies[-1] += data.replace("\n", "")
        elif self._within("notes"):
            self.notes[-1] += data

    def _address(self) -> str | None:
        """Of the link around this, unless somebody wrote it in a message."""
        if self._within("body"):
            return None
        return next((attributes["href"] for tag, attributes in self._open if tag == "a"), None)

    def _within(self, kind: str) -> bool:
        return any(attributes.get("class") == kind for tag, attributes in self._open if tag != "body")

    def form(self, button: str) -> Form:
        """The form with this button."""
        return next(one for one in self.forms if button in one.buttons)

    @property
    def headings(self) -> list[int]:
        """Their levels, in order."""
        return [int(tag[1]) for tag, _ in self.elements if tag in ("h1", "h2", "h3")]


class Shown:
    """An answer and what stands in it."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8", answer.text
        self.answer = answer
        self.status = answer.status_code
        self.document = Document(answer.text)

    @property
    def said(self) -> str:
        return self.document.said


class Visitor:
    def __init__(self, url: str, name: str | None = None, **headers: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=15, headers=headers)
        if name is not None:
            answer = self.submit(self.see("/lite"), "Join chat", name=name)
            assert answer.status_code == 303, answer.text

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.http.close()

    def see(self, path: str) -> Shown:
        return Shown(self.http.get(path))

    def submit(self, shown: Shown, button: str, **fields: str) -> httpx.Response:
        """Press a button of a form, with these in its fields."""
        form = shown.document.form(button)
        assert form.method == "post"
        pressed = {"join": "1"} if button == "Join and send" else {}
        return self.http.post(form.action, data={**form.fields, **fields, **pressed})

    def say(self, room: str, body: str) -> None:
        answer = self.submit(self.see(f"/lite/{room}"), "Send", body=body)
        assert answer.status_code == 303, answer.text

    def log(self, room: str, query: str = "") -> Shown:
        return self.see(f"/lite/{room}/log{query}")

    def bodies(self, room: str) -> list[str]:
        return self.log(room).document.bodies

    def press_join(self, room: str) -> None:
        answer = self.submit(self.see(f"/lite/{room}"), "Join")
        assert answer.status_code == 303, answer.text

    @property
    def token(self) -> str:
        return next(value for name, value in self.http.cookies.items() if name.startswith("chatapp_session"))

    def as_person(self) -> Person:
        """The same user, by the API."""
        return Person(self.url, token=self.token)
