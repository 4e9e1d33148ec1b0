"""Why compliance refuses. Numbers 1300 to 1399 are permanent."""

from stoa.kernel.base import Rejection
from stoa.kernel.codec import Shape


class ProfileUnknown(Rejection, tag=1300):
    """Nothing moves in a scope that has no rules."""

    scope: str
    en = "No rules are adopted for {scope}."
    ko = "{scope}에 대해 채택된 규칙이 없습니다."


class NotIdentified(Rejection, tag=1301):
    """No issuer that the security trusts has attested who the receiver is."""

    scope: str
    party: int
    en = "The receiver (party {party}) is not identified by any institution that {scope} trusts."
    ko = "수취인(당사자 {party})을 {scope}이(가) 신뢰하는 기관이 확인하지 않았습니다."


class ClaimRevoked(Rejection, tag=1302):
    """The attestation was withdrawn."""

    scope: str
    party: int
    topic: str
    issuer: str
    en = "The {topic} claim about party {party} was revoked by {issuer}."
    ko = "당사자 {party}의 {topic} 확인을 {issuer}이(가) 철회했습니다."


class ClaimExpired(Rejection, tag=1303):
    """The attestation held until a time that has come."""

    scope: str
    party: int
    topic: str
    issuer: str
    expired: int
    time: int
    en = "The {topic} claim about party {party} by {issuer} expired at {expired}; it is {time} now."
    ko = "당사자 {party}의 {topic} 확인({issuer})이 {expired}에 만료되었습니다. 현재 {time}입니다."


class CountryNotOpen(Rejection, tag=1304):
    """The scope is not open to residents of the country; a country that no rule names is not open."""

    scope: str
    country: str
    en = "{scope} is not open to residents of {country}."
    ko = "{scope}은(는) {country} 거주자에게 열려 있지 않습니다."


class Figure(Shape):
    """A fact as found, beside what the rule asks of it."""

    fact: str
    found: int | str
    op: str
    value: int | str | tuple[str, ...]


class RuleFailed(Rejection, tag=1305):
    """A rule in force does not hold; the figures are those of its requirement."""

    scope: str
    rule: str
    version: int
    figures: tuple[Figure, ...]
    why_en: str
    why_ko: str
    en = "{rule} of {scope}: {why_en}"
    ko = "{scope}의 규칙 {rule}: {why_ko}"


class RulesInvalid(Rejection, tag=1306):
    """The rules cannot be adopted; the place and the reason are named."""

    scope: str
    rule: str
    why: str
    en = "The rules for {scope} cannot be adopted: {rule}: {why}."
    ko = "{scope}의 규칙을 채택할 수 없습니다: {rule}: {why}."


class RuleUnknown(Rejection, tag=1307):
    """The scope has no rule of this id to exempt from."""

    scope: str
    rule: str
    en = "{scope} has no rule {rule}."
    ko = "{scope}에 규칙 {rule}이(가) 없습니다."


class ClaimExpiryPast(Rejection, tag=1308):
    """What is granted must hold for some time."""

    expires: int
    time: int
    en = "It would expire at {expires}, which is not after {time}."
    ko = "만료 시각 {expires}이(가) 현재 시각 {time} 이후가 아닙니다."


class ClaimUnknown(Rejection, tag=1309):
    """There is no such claim to revoke."""

    party: int
    topic: str
    issuer: str
    en = "{issuer} has not attested {topic} for the party {party}."
    ko = "{issuer}이(가) 당사자 {party}의 {topic}을(를) 확인한 기록이 없습니다."


class BadClaimValue(Rejection, tag=1310):
    """The value does not fit the topic."""

    topic: str
    value: str
    rule: str
    en = "The value {value!r} does not fit the topic {topic}: {rule}."
    ko = "{topic} 값 {value!r}이(가) 형식에 맞지 않습니다: {rule}."


class TooManyPositions(Rejection, tag=1311):
    """A person holds more lines than one act may recount."""

    party: int
    positions: int
    most: int
    en = "The party {party} holds {positions} positions, at most {most} can be recounted."
    ko = "당사자 {party}의 보유 종목이 {positions}개로, 최대 {most}개까지 다시 셀 수 있습니다."


class PackRuleFailed(Rejection, tag=1312):
    """A rule of a pack that the scope names does not hold; the figures are those of its requirement."""

    scope: str
    pack: str
    rule: str
    version: int
    figures: tuple[Figure, ...]
    why_en: str
    why_ko: str
    en = "{rule} of the rule pack {pack}, version {version}, for {scope}: {why_en}"
    ko = "{scope}에 적용되는 규칙 묶음 {pack} 버전 {version}의 규칙 {rule}: {why_ko}"


class PackUnknown(Rejection, tag=1313):
    """No pack of this code is in force."""

    pack: str
    en = "There is no rule pack {pack} in force."
    ko = "시행 중인 규칙 묶음 {pack}이(가) 없습니다."


class PackNamedTwice(Rejection, tag=1314):
    """A scope names a pack once."""

    scope: str
    pack: str
    en = "{scope} would name the rule pack {pack} twice."
    ko = "{scope}이(가) 규칙 묶음 {pack}을(를) 두 번 지정합니다."


class PackInUse(Rejection, tag=1315):
    """Securities or cash tokens still obey the pack."""

    pack: str
    scopes: int
    en = "The rule pack {pack} cannot be retired: {scopes} securities, classes or cash tokens name it."
    ko = "규칙 묶음 {pack}은(는) 종목·종류·현금 토큰 {scopes}개가 지정하고 있어 폐지할 수 없습니다."


class TooManyPacks(Rejection, tag=1316):
    """There is no room for another code; the versions of a pack take none."""

    packs: int
    most: int
    en = "There are {packs} rule packs; {most} are allowed."
    ko = "규칙 묶음이 {packs}개로, 허용 한도는 {most}개입니다."
