"""The way of a message in: may it go ahead, and is it stored, once."""

from chatapp.sending.admission import Admission
from chatapp.sending.appends import Appends
from chatapp.sending.batch import Batch
from chatapp.sending.changes import Changes
from chatapp.sending.committer import Committer
from chatapp.sending.committer import Draft
from chatapp.sending.grown_text import GrownText
from chatapp.sending.messaging import Messaging
from chatapp.sending.rate import MOVES
from chatapp.sending.rate import NEW_DIRECT
from chatapp.sending.rate import NEW_ROOMS
from chatapp.sending.rate import SESSIONS
from chatapp.sending.rate import Rate

__all__ = [
    "MOVES",
    "NEW_DIRECT",
    "NEW_ROOMS",
    "SESSIONS",
    "Admission",
    "Appends",
    "Batch",
    "Changes",
    "Committer",
    "Draft",
    "GrownText",
    "Messaging",
    "Rate",
]
