"""gunicorn reads this by itself. Every number stands with its reason; settings come from the environment."""

from gevent import monkey

monkey.patch_all()

import os
import sys

from chatapp.config import BACKLOG
from chatapp.config import METRICS_FOLDER
from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.runtime import raise_file_limit
from chatapp.server import metrics_files

# Before anything is imported that counts.
os.environ[METRICS_FOLDER] = str(metrics_files.folder())

from chatapp.server import master
from chatapp.server import worker

# Each stream is an open file.
raise_file_limit()

try:
    config_ = Config.from_environ()
except ConfigError as error:
    sys.exit(f"chatapp: {error}")

bind = f"[{config_.host}]:{config_.port}" if ":" in config_.host else f"{config_.host}:{config_.port}"
workers = config_.workers
worker_class = "chatapp.server.worker.ChatWorker"
worker_connections = config_.worker_connections
backlog = BACKLOG
logger_class = "chatapp.server.gunicorn_ties.Log"
# No preloading: a hub, its connections and its greenlets belong to one process.
preload_app = False
# Streams count as requests and would restart a worker under everyone's feet.
max_requests = 0
# Longer than the idle time-outs of common load balancers (60 s), so that they close first.
keepalive = 75
# Streams end at once, sends within their bound; what is left then has hung.
graceful_timeout = 12
# A worker says every second that it lives; this long without a word means that its loop is blocked.
timeout = 30
# 100 localIds of 64 characters make a long request line.
limit_request_line = 8190
# Only gunicorn itself could be asked there, and anyone on the machine could ask.
control_socket_disable = True
# gunicorn serves the streams of one HTTP/2 connection one after another.
http_protocols = "h1"
# Which proxies are believed is for the application to say, by CHATAPP_PROXIES. Here no such header means anything,
# whoever sends it; an empty list of who may send one would be looked up for each request.
forwarded_allow_ips = "*"
forwarder_headers = ""
secure_scheme_headers = {}
proc_name = "chatapp"

master.configured()

on_starting = master.on_starting
on_exit = master.on_exit
when_ready = master.when_ready
pre_request = master.pre_request
post_worker_init = worker.post_worker_init
worker_exit = worker.worker_exit
child_exit = master.child_exit
