"""Chapter 2: who takes part. Persons become numbers, claims with an expiry speak for them, names stay at home."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stoa.custody.person import Person
from stoa.demo.cast import party_number
from stoa.demo.dossier import Form, Investor
from stoa.demo.stage import act
from stoa.demo.story import Act, Story
from stoa.kernel.time import from_date, iso

ISSUER, TAX_OFFICE, VISITOR = "issuer", "tax-office", "visitor"  # accounts besides the investors'


def tell(story: Story) -> None:
    """Accounts are opened and claims issued; a claim in somebody else's name is worth nothing."""
    terms, investors = story.dossier.terms, story.dossier.investors
    countries = ", ".join(dict.fromkeys(one.country for one in investors))
    story.chapter(
        2,
        f"Institutions, and {len(investors)} investors from {countries}",
        f"기관, 그리고 {countries}의 투자자 {len(investors)}명",
    )
    story.fact(
        "The institutions of the network and their roles were there from genesis.",
        "네트워크의 기관과 역할은 제네시스부터 등록되어 있습니다.",
        f"{len(terms.institutions)} institutions",
        f"{len(story.stage.cast.genesis.founders)} institutions",
    )
    _open_accounts(story)
    _attest(story)
    _forged(story, investors[-1])
    _names_stay_at_home(story)


def _opening(story: Story, name: str, entity: bool, keeper: str) -> Act:
    story.stage.cast.add(name)
    party, key = party_number(name), story.stage.cast.public(name)
    register = act("identity.register_party", party=party, entity=entity, keeper=keeper)
    return (keeper,), (register, act("identity.open_account", party=party, custodian=keeper, threshold=1, keys=[key]))


def _open_accounts(story: Story) -> None:
    terms, now = story.dossier.terms, story.stage.clock()
    for one in story.dossier.investors:
        record = Person(name=one.name, kind=one.kind, local_name=one.local_name, country=one.country, born=one.born)
        story.stage.vault.put(party_number(one.id), record, now)
    story.applied_each(
        "The brokers open an account for each investor; the ledger learns a number and a key, and no name.",
        "증권사가 투자자마다 계좌를 개설합니다. 원장은 이름이 아니라 번호와 키만 압니다.",
        [_opening(story, one.id, one.kind == "legal", one.broker) for one in story.dossier.investors],
    )
    story.applied_each(
        f"Accounts for the issuer ({terms.issuer['name']}), for withheld tax, and for a visitor nobody has identified.",
        f"발행인({terms.issuer['name']}), 원천징수 세금, 그리고 신원이 확인되지 않은 방문자의 계좌입니다.",
        [
            _opening(story, ISSUER, True, terms.issuer_broker),
            _opening(story, TAX_OFFICE, True, terms.bank),
            _opening(story, VISITOR, False, terms.issuer_broker),
        ],
    )


def claims(issuer: str, name: str, country: str, category: str, until: int) -> tuple[Form, ...]:
    """The two claims that rules ask for: residence and investor category."""
    party = party_number(name)
    return tuple(
        act("compliance.attest", party=party, topic=topic, issuer=issuer, value=value, expires=until)
        for topic, value in (("identity", country), ("category", category))
    )


def _attest(story: Story) -> None:
    terms, investors = story.dossier.terms, story.dossier.investors
    signers = (terms.identity,)
    story.applied_each(
        f"{terms.identity} attests residence and category of each investor, until a date.",
        f"{terms.identity}이(가) 투자자의 거주국과 투자자 구분을 기한을 두어 확인합니다.",
        [(signers, claims(terms.identity, one.id, one.country, one.category, one.identified_until))
         for one in investors],
    )  # fmt: skip
    firms = ((ISSUER, terms.issuer["country"]), (TAX_OFFICE, terms.issuer["country"]))
    later = from_date(2035, 12, 31)
    story.applied_each(
        "It attests the issuer and the tax office as well: cash goes to nobody who is unknown.",
        "발행인과 세무서도 확인합니다. 현금은 확인되지 않은 상대에게 가지 않습니다.",
        [(signers, claims(terms.identity, name, country, "institutional", later)) for name, country in firms],
    )
    first = min(investors, key=lambda one: one.identified_until)
    story.fact(
        f"The first claim to expire is that of {first.id}.",
        f"가장 먼저 만료되는 것은 {first.id}의 확인입니다.",
        iso(first.identified_until)[:10],
        iso(min(one.identified_until for one in investors))[:10],
    )


def _forged(story: Story, one: Investor) -> None:
    """A broker says who his customer is: in the identity provider's name, then in his own."""
    terms, party = story.dossier.terms, party_number(one.id)
    for issuer, expect in ((terms.identity, ["NotAuthorised"]), (one.broker, ["InstitutionUnknown"])):
        forged = act(
            "compliance.attest", party=party, topic="identity", issuer=issuer, value=terms.issuer["country"],
            expires=one.identified_until,
        )  # fmt: skip
        story.refused(
            f"{one.broker} attests, in the name of {issuer}, that {one.id} lives in {terms.issuer['country']}.",
            f"{one.broker}이(가) {issuer} 명의로 {one.id}의 거주국을 {terms.issuer['country']}로 확인하려 합니다.",
            expect,
            (one.broker,),
            forged,
        )


def _names_stay_at_home(story: Story) -> None:
    words = [one.name.encode() for one in story.dossier.investors]
    words += [one.local_name.encode() for one in story.dossier.investors if one.local_name]
    found = sum(word in kept for kept in _files(story.stage.ground.root) for word in words)
    story.fact(
        "Names found in all files of the house: journal, state, views, and the vault, where they lie encrypted.",
        "원장, 상태, 조회 모델, 그리고 암호화된 보관소의 모든 파일에서 찾은 이름의 수입니다.",
        0,
        found,
    )
    readable = sum(story.stage.vault.get(party_number(one.id)) is not None for one in story.dossier.investors)
    story.fact(
        "Records that the institution itself can read in its vault.",
        "기관이 자신의 보관소에서 읽을 수 있는 기록의 수입니다.",
        len(story.dossier.investors),
        readable,
    )


def _files(folder: Path) -> Iterator[bytes]:
    """Every file in the folder; others write there, and one that is gone by now says nothing."""
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield (Path(place) / name).read_bytes()
