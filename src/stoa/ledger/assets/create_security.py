"""The issuer's agent and the registrar together create a security, complete or not at all."""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AssetId, InstitutionId, is_code
from stoa.kernel.money import Amount
from stoa.ledger.assets.errors import (
    AssetExists,
    ClassesInvalid,
    ComplianceStatementMissing,
    CurrencyUnknown,
    IssuerDetailsMissing,
    OfferingDocumentMissing,
    QualificationRulesMissing,
)
from stoa.ledger.assets.events import AssetRegistered, SecurityCreated
from stoa.ledger.assets.model import (
    ASSETS,
    COMPLIANCE_STATEMENT,
    OFFERING_DOCUMENT,
    SECURITIES,
    Asset,
    ClassTerms,
    Code,
    Document,
    Issuer,
    Security,
)
from stoa.ledger.compliance.adopt_rules import adopt
from stoa.ledger.compliance.compile import terms_rejections
from stoa.ledger.compliance.model import IDENTITY, Terms
from stoa.ledger.identity.authority import acts_for, member
from stoa.ledger.identity.errors import InstitutionUnknown, NotAuthorised
from stoa.ledger.identity.model import Name
from stoa.ledger.state import State


class CreateSecurity(Instruction, tag="assets.create_security.v1"):
    """All that binds: issuer, documents, classes, rules. ``price`` is per unit, in the currency's smallest unit."""

    security: AssetId
    name: Name
    form: Name
    issuer: Issuer
    agent: InstitutionId
    registrar: InstitutionId
    currency: AssetId
    price: Amount
    isin: Code
    documents: Annotated[tuple[Document, ...], Meta(max_length=16)]
    classes: Annotated[tuple[ClassTerms, ...], Meta(min_length=1, max_length=limits.MAX_CLASSES)]
    terms: Terms  # rules of the security as a whole; a class adds its own by ``compliance.adopt_rules``


def class_codes(ins: CreateSecurity) -> tuple[str, ...]:
    """The asset codes of the classes: the security's own for a single unnamed class."""
    return tuple(f"{ins.security}.{one.suffix}" if one.suffix else ins.security for one in ins.classes)


def rejections(view: State, ctx: Context, ins: CreateSecurity) -> Rejections:
    """NotAuthorised, InstitutionUnknown, AssetExists, ClassesInvalid, CurrencyUnknown, OfferingDocumentMissing,
    IssuerDetailsMissing, ComplianceStatementMissing, QualificationRulesMissing, RulesInvalid."""
    for institution, role in ((ins.agent, "issuer_agent"), (ins.registrar, "registrar")):
        if not acts_for(view, ctx, institution):
            yield NotAuthorised(institution)
        if member(view, institution, role) is None:
            yield InstitutionUnknown(institution, role)
    codes = class_codes(ins)
    for code in dict.fromkeys((ins.security, *codes)):
        if view.get(ASSETS, code) is not None or view.get(SECURITIES, code) is not None:
            yield AssetExists(code)
    yield from _class_rejections(ins, codes)
    currency = view.get(ASSETS, ins.currency)
    if currency is None or currency.kind != "cash":
        yield CurrencyUnknown(ins.currency)
    yield from _binding_rejections(ins)
    yield from terms_rejections(ins.security, ins.terms)


def _class_rejections(ins: CreateSecurity, codes: tuple[str, ...]) -> Rejections:
    if len(dict.fromkeys(codes)) != len(codes):
        yield ClassesInvalid(ins.security, "two classes have the same code")
    if len(codes) > 1 and ins.security in codes:
        yield ClassesInvalid(ins.security, "one of several classes has no suffix")
    if sum(one.authorised for one in ins.classes) > limits.MAX_UNITS:  # a person's units are counted over all classes
        yield ClassesInvalid(ins.security, f"together they authorise more than {limits.MAX_UNITS} units")
    for code in codes:
        if not is_code(code):
            yield ClassesInvalid(ins.security, f"{code} is too long for a code")


def _binding_rejections(ins: CreateSecurity) -> Rejections:
    kinds = [document.kind for document in ins.documents]
    if OFFERING_DOCUMENT not in kinds:
        yield OfferingDocumentMissing(ins.security)
    if not ins.issuer.name:
        yield IssuerDetailsMissing(ins.security, "name")
    if not ins.issuer.country:
        yield IssuerDetailsMissing(ins.security, "country")
    if COMPLIANCE_STATEMENT not in kinds:
        yield ComplianceStatementMissing(ins.security)
    if not any(trust.topic == IDENTITY for trust in ins.terms.trusted):
        yield QualificationRulesMissing(ins.security, "an institution trusted to identify investors")
    if not ins.terms.countries:
        yield QualificationRulesMissing(ins.security, "the countries it is open to")
    if not ins.terms.rules:
        yield QualificationRulesMissing(ins.security, "a qualification rule")


def apply(view: State, ctx: Context, ins: CreateSecurity) -> None:
    """Enter the security, its classes and its rules. A class of several starts with no rules but the security's."""
    codes = class_codes(ins)
    terms = Security(
        ins.name, ins.form, ins.issuer, ins.agent, ins.registrar, ins.currency, ins.price, ins.isin,
        ins.documents, codes, ctx.time,
    )  # fmt: skip
    view.put(SECURITIES, ins.security, terms)
    ctx.emit(SecurityCreated(ins.security, terms))
    owners = (ins.agent, ins.registrar)
    for code, one in zip(codes, ins.classes, strict=True):
        scopes = (code,) if code == ins.security else (code, ins.security)
        view.put(
            ASSETS,
            code,
            Asset("security", ins.security, scopes, one.name, 0, owners, one.authorised, False, 0),
        )
        ctx.emit(AssetRegistered(code, "security", ins.security, one.name, 0, owners, one.authorised))
        if code != ins.security:
            open_terms = Terms(ins.terms.trusted, ins.terms.countries, ())
            adopt(view, ctx, code, owners, open_terms, 1)
    adopt(view, ctx, ins.security, owners, ins.terms, 1)
