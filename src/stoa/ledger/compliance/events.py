"""What happened in compliance."""

from stoa.kernel.base import Event
from stoa.ledger.compliance.model import Rule, Terms


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


class PacksNamed(Event, tag="compliance.packs_named.v1"):
    """A scope obeys these packs, and no others, besides its own rules, which are those of the version before."""

    scope: str
    version: int
    packs: tuple[str, ...]


class PackAdopted(Event, tag="compliance.pack_adopted.v1"):
    """The members have given a pack these rules; whoever names it obeys them from now on."""

    pack: str
    version: int
    title_en: str
    title_ko: str
    rules: tuple[Rule, ...]


class PackRetired(Event, tag="compliance.pack_retired.v1"):
    """The members have ended a pack, which no scope named any more."""

    pack: str
    version: int


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
