"""Where things are: the network's folder, and in it one folder for each institution.

Everything in an institution's folder is named relative to it, so that the folder can be moved to a host of its own.
"""

from typing import Final

PLAN: Final = "network.toml"
AUTHORITY: Final = "authority"  # of the network: certificates are issued from here; stays with who runs the network
GENESIS: Final = f"{AUTHORITY}/genesis"  # the document that every ledger of the network begins with
APPLICATIONS: Final = f"{AUTHORITY}/applications"  # of members on hosts of their own, by code
SERVER_CONF: Final = "nats.conf"
CERTIFICATES: Final = "network"  # in an institution's folder
ACCESS_CONF: Final = f"{CERTIFICATES}/access.conf"
PINS_CONF: Final = f"{CERTIFICATES}/pins.conf"
CA: Final = f"{CERTIFICATES}/ca.pem"
SERVER: Final = f"{CERTIFICATES}/server"  # .pem and .key
CLIENT: Final = f"{CERTIFICATES}/client"
APPLICATION: Final = f"{CERTIFICATES}/application.json"  # of an institution that is not let in yet
INSTALLED: Final = f"{CERTIFICATES}/installed"  # when the newest lists that were installed were made
STORE: Final = "nats"  # of the ordering server; may be lost, the journal is the record
RUN: Final = "run"  # which processes were started here
LOG: Final = "log"


def certificate(stem: str) -> str:
    """The file of a certificate."""
    return f"{stem}.pem"


def key(stem: str) -> str:
    """The file of a certificate's key."""
    return f"{stem}.key"
