"""The configuration of an ordering server: what it listens to, whom it lets in, and what each of them may say.

An institution publishes under its own code alone and listens to what is meant for it; batches are read through the log.
It may make a stream or a reader, but never delete, purge, change or restore one. Only a pinned server is a server.
"""

import re
from collections.abc import Iterable
from typing import Final

from stoa.bus.settings import MAX_PAYLOAD_BYTES
from stoa.network import folders
from stoa.network.certificates import identity
from stoa.network.plan import Member, Plan
from stoa.network.register import Issued

_ROUTES: Final = re.compile(r"(^  routes: \[\n).*?(^  \])", re.MULTILINE | re.DOTALL)
ACCOUNT: Final = "LEDGER"
MAX_PENDING: Final = 128 * 1024 * 1024  # bytes that wait for a slow reader before he is let go
MAX_CONNECTIONS: Final = 1_024
MAX_MEMORY: Final = 256 * 1024 * 1024
MAX_STORE: Final = 32 * 1024 * 1024 * 1024

STREAM_API: Final = (  # of JetStream: what reads or makes, nothing that destroys
    "INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO.*", "STREAM.CREATE.*", "STREAM.MSG.GET.*", "DIRECT.GET.>",
    "CONSUMER.CREATE.>", "CONSUMER.DURABLE.CREATE.>", "CONSUMER.INFO.>", "CONSUMER.NAMES.*", "CONSUMER.LIST.*",
    "CONSUMER.MSG.NEXT.>", "CONSUMER.DELETE.>",
)  # fmt: skip

SERVER: Final = """\
# The ordering server of {code} in the network {chain}. Paths are relative to this folder: start it here.
# Made by `stoa network init`; limits may be changed by hand. A change counts after: stoa network reload

server_name: "{code}"
listen: "{address}:{clients}"
http: "127.0.0.1:{monitor}"  # how it is, for this machine only
max_payload: {max_payload}
max_pending: {max_pending}
max_connections: {max_connections}
ping_interval: "5s"
ping_max: 2  # a peer that is silent for so many pings is gone
write_deadline: "5s"

{log}tls {{  # nobody without a certificate of the network, and then as whom the certificate says
  cert_file: "{certificate}"
  key_file: "{key}"
  ca_file: "{ca}"
  verify_and_map: true
  handshake_first: true  # nothing is said before it, not even by the server
  min_version: "1.3"
  timeout: 5
}}

{cluster_block}include "./{access}"
"""

LOG: Final = """\
jetstream {{
  store_dir: "{store}"
  max_memory_store: {max_memory}
  max_file_store: {max_store}
  sync_interval: always  # acknowledged means written down, on every server that says so
}}

"""

CLUSTER: Final = """\
cluster {{
  name: "{chain}"
  listen: "{address}:{cluster}"
  advertise: "{host}:{cluster}"  # where servers that hear of this one find it: its certificate is for that name
  no_advertise: true
  routes: [
{routes}
  ]
  tls {{  # and no server but those that are pinned
    cert_file: "{certificate}"
    key_file: "{key}"
    ca_file: "{ca}"
    verify: true
    min_version: "1.3"
    timeout: 5
    include "./{pins}"
  }}
}}

"""


def server_conf(plan: Plan, member: Member) -> str:
    """The text of ``nats.conf`` for a member's server."""
    certificate, key = folders.certificate(folders.SERVER), folders.key(folders.SERVER)
    return SERVER.format(
        code=member.code, chain=plan.chain, address=member.address, clients=member.clients, monitor=member.monitor,
        max_payload=MAX_PAYLOAD_BYTES, max_pending=MAX_PENDING, max_connections=MAX_CONNECTIONS,
        certificate=certificate, key=key, ca=folders.CA, log=_log(member),
        cluster_block=_cluster(plan, member, certificate, key) if len(plan.members) > 1 else "",
        access=folders.ACCESS_CONF,
    )  # fmt: skip


def _log(member: Member) -> str:
    """The part of a server that keeps the log."""
    keeps = LOG.format(store=folders.STORE, max_memory=MAX_MEMORY, max_store=MAX_STORE)
    return keeps if member.log else "# it keeps no log: this member was added to a network that has one\n\n"


def _cluster(plan: Plan, member: Member, certificate: str, key: str) -> str:
    """How the server meets the others; a network of one has none."""
    return CLUSTER.format(
        chain=plan.chain, address=member.address, host=member.host, cluster=member.cluster, routes=_routes(plan),
        certificate=certificate, key=key, ca=folders.CA, pins=folders.PINS_CONF,
    )  # fmt: skip


def _routes(plan: Plan) -> str:
    """The servers that keep the log; whoever else there is, is met through them.

    A server lists itself too: as many as are listed count as the whole when a first leader is chosen.
    """
    return "\n".join(f'    "tls://{one.host}:{one.cluster}"' for one in plan.members if one.log)


def with_routes(text: str, plan: Plan) -> str:
    """The text of a ``nats.conf`` with the plan's routes, and all else as it may have been changed by hand."""
    return _ROUTES.sub(lambda found: f"{found[1]}{_routes(plan)}\n{found[2]}", text, count=1)


def access_conf(plan: Plan, active: Iterable[Issued]) -> str:
    """The text of the list of those who are let in, with what each may say and hear."""
    users = "\n".join(_user(plan.chain, one) for one in active)
    return f"""\
# Who is let in: one certificate of each institution, by its number. Made by `stoa network init`, `rotate`, `revoke`.

accounts {{
  {ACCOUNT} {{
    jetstream: enabled
    users: [
{users}
    ]
  }}
}}
"""


def pins_conf(active: Iterable[Issued]) -> str:
    """The text of the list of servers' public keys."""
    return "pinned_certs: [\n" + "\n".join(f'  "{one.pin}"  # {one.code} {one.number}' for one in active) + "\n]\n"


def _user(chain: str, one: Issued) -> str:
    say = (
        f"say.{chain}.{one.code}",
        f"log.{chain}.*.{one.code}",
        f"ask.{chain}.*.{one.code}",
        f"submit.{chain}.{one.code}",
        f"final.{chain}.{one.code}",
        "_INBOX.>",
        "$JS.ACK.>",
    )
    publish = _listed((*say, *(f"$JS.API.{what}" for what in STREAM_API)))
    hear = _listed(
        (
            f"say.{chain}.>",
            f"ask.{chain}.{one.code}.*",
            f"submit.{chain}.{one.code}",
            f"final.{chain}.>",
            f"_INBOX.{one.code}.>",
        )
    )
    return f"""\
      {{
        user: "{identity(chain, one.code, one.number)}"
        permissions: {{
          publish: {{ allow: {publish} }}
          subscribe: {{ allow: {hear} }}
        }}
      }}"""


def _listed(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
