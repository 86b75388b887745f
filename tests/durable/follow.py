"""Follows a durable stream as a program would that uses the public client, and says each batch as a line of JSON."""

import json
import sys
import time
from typing import Any

import httpx
from durable_streams import DurableStreamError
from durable_streams import stream

AGAIN_S = 0.05


class Closed(Exception):
    """The stream has come to its end."""


class Follower:
    """The client does not know `Stream-Closed` yet, so its transport is asked."""

    def __init__(self, url: str, token: str, live: Any, offset: str, text: bool) -> None:
        self._url, self._live, self._offset, self._text = url, live, offset, text
        self._headers = {"Authorization": f"Bearer {token}"}
        self._closed = self._up_to_date = False
        self._client = httpx.Client(event_hooks={"response": [self._heed]})

    def run(self) -> None:
        while not self._closed:
            try:
                self._follow(self._live)
                if self._live == "sse":
                    # A stream that ended, for whatever reason: whether there will be more stands in any other answer.
                    self._follow(False)
                if self._live is False and self._up_to_date:
                    return
            except Closed:
                say(items="" if self._text else [], offset=self._offset, upToDate=True, closed=True)
            except DurableStreamError as refused:
                say(refused=refused.status)
                return
            except httpx.TransportError as error:
                say(again=repr(error))
                time.sleep(AGAIN_S)

    def _follow(self, live: Any) -> None:
        found = stream(self._url, offset=self._offset, live=live, headers=self._headers, client=self._client)
        for event in found.iter_events(mode="text" if self._text else "json_batches"):
            self._offset, self._up_to_date = event.next_offset, event.up_to_date
            say(items=event.data, offset=event.next_offset, upToDate=event.up_to_date, closed=self._closed)
            if self._closed:
                return
        if self._closed:
            raise Closed

    def _heed(self, response: httpx.Response) -> None:
        if response.headers.get("Stream-Closed") == "true":
            self._closed = True
            if response.status_code == httpx.codes.NO_CONTENT:
                raise Closed


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    Follower(**json.loads(sys.argv[1])).run()
