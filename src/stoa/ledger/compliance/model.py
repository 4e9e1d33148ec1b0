"""What the ledger remembers for compliance: claims, profiles of rules, positions of persons, counts of holders."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import CODE_PATTERN, END, InstitutionId
from stoa.kernel.time import Time
from stoa.ledger.compliance.conditions import Condition
from stoa.ledger.state import NUMBER, TEXT, Table

Topic = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_\-]{{0,{limits.MAX_TOPIC - 1}}}{END}")]
ClaimValue = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{0,32}" + END)]
Scope = Annotated[str, Meta(pattern=CODE_PATTERN)]  # a security or one class of it; for cash its asset code
RuleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,47}" + END)]
PackCode = Annotated[str, Meta(pattern=CODE_PATTERN)]
# a rule to exempt from: one of the scope's own by its id, or one of a pack that it names as PACK/RULE
RuleName = Annotated[
    str, Meta(pattern=rf"^([A-Z0-9][A-Z0-9.\-]{{0,{limits.MAX_CODE - 1}}}/)?[A-Za-z0-9][A-Za-z0-9_.\-]{{0,47}}{END}")
]
Sentence = Annotated[str, Meta(max_length=400)]

IDENTITY: Final = "identity"  # the topic whose value is the party's country of residence (ISO 3166-1 alpha-2)
CATEGORY: Final = "category"  # the topic whose value is the investor category, e.g. retail, professional, accredited
ANYWHERE: Final = "*"  # in a profile's countries: residence does not matter

Phase = Literal["issue", "offering", "transfer", "settlement", "forced", "recovery", "redemption", "income"]
PHASES: Final = ("issue", "offering", "transfer", "settlement", "forced", "recovery", "redemption", "income")
Force = Literal["law", "future_law", "policy", "proposal", "venue", "issuer"]


class Claim(Shape):
    """A dated attestation about a party. ``expires`` is the first millisecond at which it no longer holds."""

    value: ClaimValue
    issued: Time
    expires: Time
    revoked: bool


class Trust(Shape):
    """Whose attestations on a topic count for a security, in order of preference."""

    topic: Topic
    issuers: Annotated[tuple[InstitutionId, ...], Meta(min_length=1, max_length=limits.MAX_TRUSTED)]


class Rule(Shape):
    """One row of law, policy or contract: if ``when`` holds, then ``require`` must hold.

    In force from ``effective`` until before ``until`` (0: open end). ``en`` and ``ko`` say it in plain words.
    """

    id: RuleId
    jurisdiction: Annotated[str, Meta(max_length=8)]
    force: Force
    effective: Time
    until: Time
    source: Sentence
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1, max_length=len(PHASES))]
    when: Condition
    require: Condition
    en: Sentence
    ko: Sentence


class Terms(Shape):
    """What is adopted: trusted issuers, open countries, rules. The body of a profile."""

    trusted: Annotated[tuple[Trust, ...], Meta(max_length=limits.MAX_TRUSTED)]
    countries: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^([A-Z]{2}|\*)" + END)], ...], Meta(max_length=limits.MAX_COUNTRIES)
    ]
    rules: Annotated[tuple[Rule, ...], Meta(max_length=limits.MAX_RULES)]


class Profile(Shape):
    """The rules of a scope in force. ``owners`` are the institutions that must all sign a change."""

    version: int
    owners: tuple[InstitutionId, ...]
    adopted: Time
    terms: Terms


class Pack(Shape):
    """The version in force of a jurisdiction's or market's rules, under a title for people.

    ``retired`` is 0 while it is in force. A retired pack keeps its place, so that its versions go on if it returns.
    """

    version: int
    adopted: Time
    retired: Time
    title_en: Sentence
    title_ko: Sentence
    rules: tuple[Rule, ...]


class NamedPacks(Shape):
    """The packs whose rules a scope's movements obey besides its own, in the order in which they are judged."""

    codes: tuple[PackCode, ...]


class Exemption(Shape):
    """A party is free of a rule until a time, for a reason with evidence."""

    until: Time
    reason: str
    evidence: bytes


class Position(Shape):
    """A person's units in a scope over all his accounts, and the country and category he is counted under."""

    units: int
    country: str
    category: str


CLAIMS: Final = Table[tuple[int, str, str], Claim](16, "compliance.claim", (NUMBER, TEXT, TEXT), Claim, scanned=True)
PROFILES: Final = Table[str, Profile](17, "compliance.profile", (TEXT,), Profile)
EXEMPTIONS: Final = Table[tuple[str, str, int], Exemption](
    18, "compliance.exemption", (TEXT, TEXT, NUMBER), Exemption, scanned=True
)
POSITIONS: Final = Table[tuple[int, str], Position](19, "compliance.position", (NUMBER, TEXT), Position, scanned=True)
COUNTS: Final = Table[tuple[str, str, str], int](20, "compliance.count", (TEXT, TEXT, TEXT), int, scanned=True)
PACKS: Final = Table[str, Pack](21, "compliance.pack", (TEXT,), Pack, scanned=True)
# never written without the scope's profile, so that rules compiled for a profile's row know its packs
NAMED_PACKS: Final = Table[str, NamedPacks](22, "compliance.named_packs", (TEXT,), NamedPacks, scanned=True)
NAMING: Final = Table[str, int](23, "compliance.naming", (TEXT,), int, scanned=True)  # pack → how many scopes name it

TOTAL: Final = "total"  # the second part of a key of COUNTS, with an empty third
BY_COUNTRY: Final = "country"
BY_CATEGORY: Final = "category"
