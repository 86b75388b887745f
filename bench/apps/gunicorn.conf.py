"""gunicorn for the peers and for the empty route: one gevent worker, as the service has by default."""

worker_class = "gevent"
workers = 1
# gunicorn's 1,000 would not hold the room.
worker_connections = 19_000
# As many may wait to be let in as with the service.
backlog = 4096
# As with the service: a sender that rests for a moment keeps its connection.
keepalive = 75
