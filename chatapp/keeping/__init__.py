"""How long what was said is kept: what is pruned."""

from chatapp.keeping import old_messages
from chatapp.keeping import regular_pruning
from chatapp.keeping import rooms
from chatapp.keeping.pruning import PRUNED
from chatapp.keeping.pruning import prune
from chatapp.keeping.pruning import tell_workers
from chatapp.keeping.pruning import until
from chatapp.keeping.regular_pruning import RegularPruning
from chatapp.keeping.removed import Removed

__all__ = [
    "PRUNED",
    "RegularPruning",
    "Removed",
    "old_messages",
    "prune",
    "regular_pruning",
    "rooms",
    "tell_workers",
    "until",
]
