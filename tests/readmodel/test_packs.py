"""Rule packs in the views: every version, who names which, and a rebuild that shows the same."""

from msgspec.structs import replace

from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.model import NAMED_PACKS, NAMING, PACKS
from stoa.ledger.compliance.name_packs import NamePacks
from stoa.ledger.governance.model import RetirePack
from stoa.readmodel.queries.packs import pack, packs
from stoa.readmodel.queries.securities import profile
from stoa.readmodel.rebuild import rebuild
from tests.ledger.hall import ANY_HOLDER
from tests.ledger.senate import Senate
from tests.ledger.test_packs import ALL, enact
from tests.ledger.test_packs import pack as adoption
from tests.ledger.test_rules import MAXIMUM, MINIMUM
from tests.readmodel.chain import Chain, rows


class Council(Senate, Chain):
    """A pack in two versions that two scopes name, one that nobody names any more, and one that has been retired."""

    def __init__(self) -> None:
        super().__init__(1)
        self.cash()
        self.security(rules=(ANY_HOLDER,))
        enact(self, adoption(MAXIMUM))
        self.adopted = self.time
        enact(self, adoption(MAXIMUM, code="SG-SFA"))
        enact(self, adoption(MAXIMUM, code="US-REG-S"))
        self.do(ALL, NamePacks("HBT", ("US-REG-S", "SG-SFA")))
        self.do(ALL, NamePacks("HBT", ("SG-SFA", "KR-OTC")))
        self.do("BANK", NamePacks("USD", ("KR-OTC",)))
        enact(self, RetirePack("US-REG-S"))
        self.retired = self.time
        stricter = replace(MAXIMUM, require=Compare("receiver.units.after", "<=", 10))
        enact(self, replace(adoption(MINIMUM, stricter), title_en="Stricter", title_ko="강화"))
        self.again = self.time


def test_views_show_packs_as_the_ledger_remembers_them(database: str) -> None:
    council = Council()
    views = council.views(database)
    with views.read() as db:
        lines = packs(db).items
        assert [(one.code, one.version, one.rules, one.scopes, one.retired) for one in lines] == [
            ("KR-OTC", 2, 2, 2, 0),
            ("SG-SFA", 1, 1, 1, 0),
            ("US-REG-S", 1, 1, 0, council.retired),
        ]
        for one in lines:
            row = council.view.need(PACKS, one.code)
            assert (one.version, one.retired, one.adopted, one.title_en, one.title_ko, one.rules) == (
                row.version, row.retired, row.adopted, row.title_en, row.title_ko, len(row.rules),
            )  # fmt: skip
            assert one.scopes == (council.view.get(NAMING, one.code) or 0)
        first = packs(db, limit=1)
        assert [one.code for one in packs(db, after=first.next).items] == ["SG-SFA", "US-REG-S"]
    live = rows(views)
    assert rebuild(views, council.document, council.first, council.replay) == council.height
    assert rows(views) == live
    views.close()


def test_a_pack_is_shown_in_any_of_its_versions(database: str) -> None:
    council = Council()
    with council.views(database).read() as db:
        newest, old = pack(db, "KR-OTC", council.time), pack(db, "KR-OTC", council.time, 1)
        assert newest is not None
        assert old is not None
        assert [(one.version, one.title_ko, one.adopted) for one in newest.versions] == [
            (2, "강화", council.again),
            (1, "시장 규칙", council.adopted),
        ]
        assert newest.scopes == ("HBT", "USD")
        assert [(one.scope, one.id, one.require) for one in newest.shown.rules][1] == (
            "KR-OTC", "MAXIMUM", ["is", "receiver.units.after", "<=", 10],
        )  # fmt: skip
        assert [(one.id, one.require[3], one.in_force) for one in old.shown.rules] == [("MAXIMUM", 100, True)]
        assert (old.line, old.shown.version) == (newest.line, 1)
        assert pack(db, "KR-OTC", council.time, 3) is None
        assert pack(db, "NONE", council.time) is None


def test_a_profile_shows_the_packs_it_names_as_they_are_in_force(database: str) -> None:
    council = Council()
    with council.views(database).read() as db:
        found = profile(db, "HBT", council.time)
        assert found is not None
        named = council.view.need(NAMED_PACKS, "HBT").codes
        assert [(one.code, one.version, len(one.rules)) for one in found.packs] == [("SG-SFA", 1, 1), ("KR-OTC", 2, 2)]
        assert tuple(one.code for one in found.packs) == named
        assert (found.version, [one.id for one in found.rules]) == (3, ["OPEN"])
