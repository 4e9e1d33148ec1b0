"""What happened in compliance."""

from stoa.kernel.base import Event
from stoa.ledger.compliance.model import Terms


class ClaimIssued(Event, tag="compliance.claim_issued.v1"):
    """A party was attested something."""

    party: int
    topic: str
    issuer: str
    value: str
    expires: int


class ClaimWithdrawn(Event, tag="compliance.claim_revoked.v1"):
    """The issuer took its attestation back."""

    party: int
    topic: str
    issuer: str
    reason: str


class RulesAdopted(Event, tag="compliance.rules_adopted.v1"):
    """A scope has these rules from now on."""

    scope: str
    version: int
    owners: tuple[str, ...]
    terms: Terms


class ExemptionGranted(Event, tag="compliance.exemption_granted.v1"):
    """A party is free of a rule until a time; a time that has passed ends the exemption."""

    scope: str
    rule: str
    party: int
    until: int
    reason: str
    evidence: bytes


class HolderRecounted(Event, tag="compliance.holder_recounted.v1"):
    """A holder is counted under another country or category."""

    scope: str
    party: int
    country: str
    category: str
