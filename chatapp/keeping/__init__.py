"""How long what was said is kept, and how it is taken along: pruning, forgetting, export, import."""

from chatapp.keeping import forgetting
from chatapp.keeping import html_page
from chatapp.keeping import old_messages
from chatapp.keeping import regular_pruning
from chatapp.keeping import rooms
from chatapp.keeping import sources
from chatapp.keeping.export import ManyWaiting
from chatapp.keeping.export import documents
from chatapp.keeping.pace import PAUSE_S
from chatapp.keeping.pace import Pace
from chatapp.keeping.pruning import DAY_S
from chatapp.keeping.pruning import PRUNED
from chatapp.keeping.pruning import prune
from chatapp.keeping.pruning import tell_workers
from chatapp.keeping.pruning import until
from chatapp.keeping.regular_pruning import RegularPruning
from chatapp.keeping.removed import Removed
from chatapp.keeping.room_import import ImportRefused
from chatapp.keeping.room_import import RoomImport
from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said

__all__ = [
    "DAY_S",
    "PAUSE_S",
    "PRUNED",
    "ImportRefused",
    "ManyWaiting",
    "Pace",
    "Refused",
    "RegularPruning",
    "Removed",
    "RoomImport",
    "Said",
    "documents",
    "forgetting",
    "html_page",
    "old_messages",
    "prune",
    "regular_pruning",
    "rooms",
    "sources",
    "tell_workers",
    "until",
]
