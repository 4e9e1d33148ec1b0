"""The words of the signer: what it answers, and what all audit lines about one act have in common."""

import msgspec

from stoa.custody.audit import Record
from stoa.custody.book import Intent
from stoa.custody.policy import Summary
from stoa.custody.refusals import Refusal
from stoa.kernel.identifiers import address


class Signed(msgspec.Struct, frozen=True):
    """The envelope's bytes, ready to submit."""

    transaction: bytes
    envelope: bytes


class Pending(msgspec.Struct, frozen=True):
    """Waits for so many approvals, until ``expires`` (milliseconds)."""

    transaction: bytes
    approvals: tuple[str, ...]
    needed: int
    expires: int


class Refused(msgspec.Struct, frozen=True):
    """Every reason why not, gravest first."""

    transaction: bytes
    refusals: tuple[Refusal, ...]


Outcome = Signed | Pending | Refused


class Act(msgspec.Struct, frozen=True):
    """What every record of one act has in common: the transaction, the intent, its author, the time."""

    transaction: bytes
    intent: Intent
    user: str
    now: int

    def record(
        self,
        action: str,
        user: str,
        grant: str = "",
        keys: tuple[str, ...] = (),
        summaries: tuple[Summary, ...] = (),
        refusals: tuple[str, ...] = (),
    ) -> Record:
        """The line of the audit log, not yet numbered; ``user`` is the one who acted."""
        return Record(
            sequence=0,
            time=self.now,
            action=action,
            user=user,
            transaction=self.transaction.hex(),
            account=address(self.intent.account),
            grant=grant,
            keys=keys,
            summaries=summaries,
            refusals=refusals,
        )

    def proposed(self, grant: str) -> Record:
        """The line that keeps the whole intent, so that it can be signed after a restart."""
        line = self.record("proposed", self.user, grant, summaries=self.intent.summaries)
        return msgspec.structs.replace(line, body=self.intent.body, created=self.intent.created)
