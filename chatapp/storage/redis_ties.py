"""Everything that depends on more of redis-py than its documentation promises.

What would break it, in a new version of redis-py: a pool gives its connections by something else than `get_connection`
and `release`; a connection speaks by something else than `send_command`, `read_response` and `disconnect`; something
that was pushed comes before an answer, although protocol 2 has no pushes; errors of the server have other classes.
"""

from collections.abc import Sequence
from typing import Any

from redis import BlockingConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MasterDownError
from redis.exceptions import OutOfMemoryError
from redis.exceptions import ReadOnlyError
from redis.exceptions import ResponseError

Word = str | bytes | float

# How a server says that it is a replica by now, and that it is full. Before Redis 7 an error within a script has these
# words somewhere in its text; elsewhere redis-py makes a class of them and takes them away.
DEMOTED = ("READONLY", "MASTERDOWN", "UNBLOCKED")
FULL = "OOM command not allowed"
CLUSTERED = ("CROSSSLOT", "CLUSTERDOWN", "ClusterCrossSlotError", "ClusterDownError", "MOVED", "MovedError")


def demoted(error: Exception) -> bool:
    """Whether this server is not the one to be written any more, perhaps under another name."""
    if isinstance(error, ReadOnlyError | MasterDownError):
        return True
    return isinstance(error, ResponseError) and any(word in str(error) for word in DEMOTED)


def full(error: Exception) -> bool:
    """Whether the server refuses because it has as much as it may keep."""
    return isinstance(error, OutOfMemoryError) or (isinstance(error, ResponseError) and FULL in str(error))


def clustered(error: Exception) -> bool:
    """Whether this is one server of a Redis Cluster."""
    return isinstance(error, ResponseError) and any(word in f"{type(error).__name__} {error}" for word in CLUSTERED)


class Exchange:
    """Commands and their plain answers, on one connection that is kept between them.

    redis-py's own way takes twice the time, for what is not needed here.
    """

    def __init__(self, connections: BlockingConnectionPool) -> None:
        self._pool: Any = connections
        self._kept: Any = None

    def ask(self, words: Sequence[Word], *, again: bool) -> Any:
        """The answer to one command. Raises redis-py's errors.

        `again`: if the connection was closed meanwhile, it may be sent once more, on another one.
        """
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                return self._ask_on(kept, words)
            except RedisConnectionError:
                # Redis was restarted since, or closed it.
                if not again:
                    raise
        return self._ask_on(self._pool.get_connection(), words)

    def close(self) -> None:
        """Let go of the connection that is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.disconnect()
            self._pool.release(kept)

    def _ask_on(self, connection: Any, words: Sequence[Word]) -> Any:
        try:
            connection.send_command(*words)
            answer = connection.read_response()
        except ResponseError:
            self._keep(connection)
            raise
        except BaseException:
            # What is still to come on it would be taken for the answer to something else.
            connection.disconnect()
            self._pool.release(connection)
            raise
        self._keep(connection)
        return answer

    def _keep(self, connection: Any) -> None:
        if self._kept is None:
            self._kept = connection
        else:
            self._pool.release(connection)
