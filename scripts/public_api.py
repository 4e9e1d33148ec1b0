"""Names that Stoa offers to its users' programs and does not call itself, for scripts/dead_code.py.

Keep this short: each line is a promise to a stranger. Write the bare name as an expression, with its reader.
"""

from stoa.client.views import Fact
from stoa.ordering.jetstream import JetStreamEngine
from stoa.ordering.jetstream_log import open_log
from stoa.ordering.jetstream_safe import check_synced
from stoa.peers.nats import NatsPeers
from stoa.peers.promise import Peers

Fact.typed  # noqa: B018 - the events of a fact as values, for who follows the feed

# What a node of several institutions opens; these lines go when it does.
JetStreamEngine, open_log, check_synced  # noqa: B018
NatsPeers, Peers  # noqa: B018
