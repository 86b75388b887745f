"""A job whose progress is one message that changes: python examples/job.py builds 5

Whoever follows the room sees it live. Whoever does not asks for the message itself, and with `If-None-Match` pays
nothing while nothing has changed: `watch` does.
"""

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from chatapp.client import Client


def run(client: Client, room: str, steps: int) -> str:
    """The id of the job's message, which says in `data` how far it is."""
    id_ = client.send(room, "Building: 0 %", {"job": {"done": 0, "of": steps}}).wait(timeout=60).id
    print(id_, flush=True)
    for done in range(1, steps + 1):
        time.sleep(float(os.environ.get("STEP_SECONDS", "1")))
        client.edit(id_, body=f"Building: {100 * done // steps} %", data={"job": {"done": done, "of": steps}})
    return id_


def watch(http: httpx.Client, id_: str, every_s: float = 1.0) -> Iterator[dict[str, Any]]:
    """Each state of the job, until it is done. `http` has the address of the API and a token."""
    etag = ""
    while True:
        answer = http.get(f"messages/{id_}", headers={"If-None-Match": etag} if etag else {})
        if answer.status_code != httpx.codes.NOT_MODIFIED:
            answer.raise_for_status()
            etag = answer.headers["ETag"]
            job = answer.json()["data"]["job"]
            yield job
            if job["done"] == job["of"]:
                return
        time.sleep(every_s)


if __name__ == "__main__":
    with Client(os.environ.get("CHATAPP_URL", "http://127.0.0.1:8000"), name="Builder") as client:
        client.create_room(sys.argv[1])
        run(client, sys.argv[1], int(sys.argv[2]))
