"""gunicorn's processes: the master with everything that there is only one of, and the workers.

`master` and `worker` are gunicorn's hooks. Ask for them by name: they import gunicorn, which reads WEB_CONCURRENCY.
Ask for `schema` by name, too: it loads the whole service.
"""

from chatapp.server import data_lock
from chatapp.server import metrics_files
from chatapp.server import private_files
from chatapp.server.embedded_redis import is_private
from chatapp.server.redis_binary import NoRedisBinary
from chatapp.server.redis_binary import find_binary

__all__ = [
    "NoRedisBinary",
    "data_lock",
    "find_binary",
    "is_private",
    "master",
    "metrics_files",
    "private_files",
    "schema",
    "worker",
]
