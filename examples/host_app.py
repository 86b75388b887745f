"""A site with people of its own, which shows them a room of the chat.

    CHATAPP_JWT_SECRET=… CHATAPP_URL=http://127.0.0.1:8000 flask --app examples/host_app.py run --port 5000

The chat has the same secret, and this site in CHATAPP_ORIGINS. Who may read what is for this site to say, in the token.
"""

import os

from flask import Flask
from flask import abort
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask.typing import ResponseReturnValue
from host_token import host_token

app = Flask(__name__, static_folder=None)
app.secret_key = os.environ.get("SITE_SECRET_KEY") or os.urandom(32)
SECRET = os.environ["CHATAPP_JWT_SECRET"]
CHAT = os.environ.get("CHATAPP_URL", "http://127.0.0.1:8000")
# Instead of a database of people and passwords.
PEOPLE = {"ada": "Ada Lovelace", "grace": "Grace Hopper"}
ROOM = "support"


def mine(user: str) -> str:
    """The room in which the site tells this user something; nobody else's token has it."""
    return f"for-{user}"


@app.get("/")
def home() -> ResponseReturnValue:
    if session.get("user") not in PEOPLE:
        return render_template("sign_in.html", people=PEOPLE)
    return render_template("room.html", chat=CHAT, room=ROOM, mine=mine(session["user"]), name=PEOPLE[session["user"]])


@app.post("/")
def sign_in() -> ResponseReturnValue:
    session["user"] = request.form["user"]
    return redirect("/")


@app.post("/chat-token")
def chat_token() -> ResponseReturnValue:
    """For the page, which asks again when the chat says 401."""
    user = session.get("user")
    if user not in PEOPLE or request.headers.get("Content-Type") != "application/json":
        abort(403)
    return {"token": host_token(SECRET, user, PEOPLE[user], [ROOM, mine(user)])}


@app.get("/room.js")
def script() -> ResponseReturnValue:
    return app.response_class(render_template("room.js"), mimetype="text/javascript")
