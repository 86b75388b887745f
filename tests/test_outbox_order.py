"""What is committed while the outbox is busy comes in order: a removal is not overtaken by what is said after."""

import json

from tests.conftest import Start
from tests.support.probe import probe
from tests.support.redis_server import RedisServer

# Only the first publishing is held up, as by a Redis that takes its time.
PROBE = """
import json
import gevent
from gevent.event import Event
from chatapp.wire import Content
from chatapp.web import create_app
from chatapp.config import Config
from chatapp.web.current import services

app = create_app(Config.from_environ())
parts = services(app)
parts.start()
ada = parts.sessions.new_guest("Ada").identity
bob = parts.sessions.new_guest("Bob").identity
with app.app_context():
    parts.rooms.create(ada, "order", None, "private")
parts.rooms.add(ada, "order", bob.id)
parts.messaging.send(ada, "order", "before-0", Content("everything before is published"))

under_way, go_on = Event(), Event()
publish = parts.live_log.publish

def held_up(*args):
    under_way.set()
    go_on.wait(10)
    return publish(*args)

parts.live_log.publish = held_up
busy = gevent.spawn(parts.messaging.send, ada, "order", "while-busy", Content("one"))
assert under_way.wait(10)
removal = gevent.spawn(parts.rooms.remove, ada, "order", bob.id)
removal.join(10)  # committed; its cursor is waited for in vain
after = gevent.spawn(parts.messaging.send, ada, "order", "after-that", Content("said behind Bob's back"))
after.join(10)
go_on.set()
gevent.joinall([busy, removal, after], raise_error=True, timeout=10)
with gevent.Timeout(10):
    while parts.kept_log.unrecorded():
        gevent.sleep(0.01)
entries = parts.live_log._link.commands.call(lambda redis: redis.xrange("chat:events"))
print(json.dumps([fields[b"type"].decode() for _, fields in entries]), flush=True)
parts.stop()
"""


def test_a_removal_is_not_overtaken(start_service: Start, redis_server: RedisServer) -> None:
    service = start_service("sqlite")
    service.stop()  # It has made the schema.
    types = json.loads(probe(PROBE, {**service.settings, "REDIS_URL": redis_server.url}))
    assert types[-3:] == ["message.created", "member.left", "message.created"]
