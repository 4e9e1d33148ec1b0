"""The client: what a program that is no part of the house uses. Builds, signs, submits, waits, reads, trusts nobody.

Owns: keys that sign at home (``keys``), plans of what to ask and how to go on (``plans``), the two drivers that carry
plans out, waiting (``Client``) or awaited (``AsyncClient``), and the checking of proofs without a server (``proofs``).

Promises: a transaction is sent again with the very same bytes until its fate is known, so it happens once or not at
all; secrets stay in the process. Knows only ``kernel``, ``wire`` and ``ledger.catalog``.
"""

from stoa.client.aio import AsyncClient
from stoa.client.errors import ClientError, NotFinal, ProblemError, Unreachable
from stoa.client.history import read_root, write_root
from stoa.client.keys import Key, MultiKey, Signer
from stoa.client.proofs import check_proof, join_proofs
from stoa.client.sync import Client
from stoa.wire.history import LogRoot
from stoa.wire.proof import BadProof

__all__ = [
    "AsyncClient",
    "BadProof",
    "Client",
    "ClientError",
    "Key",
    "LogRoot",
    "MultiKey",
    "NotFinal",
    "ProblemError",
    "Signer",
    "Unreachable",
    "check_proof",
    "join_proofs",
    "read_root",
    "write_root",
]
