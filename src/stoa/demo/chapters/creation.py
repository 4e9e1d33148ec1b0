"""Chapter 1: a building becomes a security, complete or not at all."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from stoa.demo.dossier import Form, TermSheet
from stoa.demo.money import shown
from stoa.demo.stage import act
from stoa.demo.story import Story
from stoa.readmodel.schema import ASSETS, SECURITIES


def tell(story: Story) -> None:
    """Cash comes on the ledger, four incomplete securities are refused, the complete one is created."""
    terms = story.dossier.terms
    value = shown(terms.value, terms.decimals)
    story.chapter(
        1,
        f"{terms.name}: {terms.currency} {value} become {terms.units:,} units",
        f"{terms.name}: {terms.currency} {value}이(가) {terms.units:,}단위가 됩니다",
    )
    _cash(story, terms)
    _incomplete(story, terms)
    _complete(story, terms)


def _cash(story: Story, terms: TermSheet) -> None:
    rules: Form = {"trusted": [{"topic": "identity", "issuers": [terms.identity]}], "countries": ["*"], "rules": []}
    story.applied(
        f"{terms.bank} registers its {terms.currency} deposit as a cash token; who holds it must be identified.",
        f"{terms.bank}이(가) {terms.currency} 예금을 현금 토큰으로 등록합니다. 보유자는 신원이 확인되어야 합니다.",
        (terms.bank,),
        act(
            "assets.register_cash", asset=terms.currency, bank=terms.bank, name=terms.cash_name,
            currency=terms.cash_currency, decimals=terms.decimals, terms=rules,
        ),
    )  # fmt: skip


def _create(story: Story, **changes: Any) -> Form:
    terms = story.dossier.terms
    documents = [{"kind": one.kind, "title": one.title, "sha256": one.sha256.hex()} for one in terms.documents]
    fields: Form = {
        "security": terms.code, "name": terms.name, "form": terms.form, "issuer": terms.issuer,
        "agent": terms.agent, "registrar": terms.registrar, "currency": terms.currency, "price": terms.price,
        "isin": terms.isin, "documents": documents,
        "classes": [{"suffix": "", "name": terms.name, "authorised": terms.units}], "terms": story.dossier.rules,
    }  # fmt: skip
    return act("assets.create_security", **(fields | changes))


def _lacking(story: Story, kind: str) -> list[Form]:
    return [
        {"kind": one.kind, "title": one.title, "sha256": one.sha256.hex()}
        for one in story.dossier.terms.documents
        if one.kind != kind
    ]


def _incomplete(story: Story, terms: TermSheet) -> None:
    nobody = {"name": "", "country": "", "lei": ""}
    without_rules = story.dossier.rules | {"rules": []}
    attempts: Sequence[tuple[str, str, list[str], Form]] = (
        (
            "its offering document", "투자설명서", ["OfferingDocumentMissing"],
            {"documents": _lacking(story, "offering_document")},
        ),
        ("its issuer's details", "발행인 정보", ["IssuerDetailsMissing", "IssuerDetailsMissing"], {"issuer": nobody}),
        (
            "its compliance statement", "법규 준수 확인서", ["ComplianceStatementMissing"],
            {"documents": _lacking(story, "compliance_statement")},
        ),
        ("its qualification rules", "투자자 적격 규칙", ["QualificationRulesMissing"], {"terms": without_rules}),
    )  # fmt: skip
    for lacking, ko, expect, changes in attempts:
        story.refused(
            f"A security without {lacking} cannot be created.",
            f"{ko} 없이는 증권을 생성할 수 없습니다.",
            expect,
            (terms.agent, terms.registrar),
            _create(story, **changes),
        )


def _complete(story: Story, terms: TermSheet) -> None:
    story.applied(
        f"{terms.agent} and {terms.registrar} together create {terms.code} with its documents and rules.",
        f"{terms.agent}과(와) {terms.registrar}이(가) 문서와 규칙을 갖춘 {terms.code}을(를) 함께 생성합니다.",
        (terms.agent, terms.registrar),
        _create(story),
    )
    row = story.stage.rows(select(SECURITIES).where(SECURITIES.c.code == terms.code))[0]
    bound = all(one.sha256.hex() in row["documents"] for one in terms.documents)
    story.fact(
        "The hashes of the documents in the folder are bound to the security.",
        "폴더에 있는 문서의 해시가 증권에 결합되어 있습니다.",
        True,
        bound,
    )
    asset = story.stage.rows(select(ASSETS).where(ASSETS.c.code == terms.code))[0]
    story.fact(
        "So many units are authorised, and none exists yet.",
        "수권 단위 수와, 아직 발행되지 않았다는 사실입니다.",
        f"{terms.units} authorised, 0 exist",
        f"{asset['authorised']} authorised, {asset['supply']} exist",
    )
