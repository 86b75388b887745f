"""The peers, by the name that the report gives them."""

from bench.case import Start
from bench.peers.flask_generator import flask_generator
from bench.peers.flask_socketio import flask_socketio
from bench.peers.flask_sse import flask_sse
from bench.peers.nchan import nchan
from bench.peers.node_socketio import node_socketio
from bench.peers.sse_starlette import sse_starlette

NCHAN = "Nchan"
PEERS: dict[str, Start] = {
    NCHAN: nchan,
    "Socket.IO (Node)": node_socketio,
    "sse-starlette": sse_starlette,
    "Flask generator": flask_generator,
    "Flask-SocketIO": flask_socketio,
    "flask-sse": flask_sse,
}
