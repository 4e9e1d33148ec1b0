"""Users of the demonstration's console: some investors and institutions, with one password that everybody knows."""

from typing import Final

from stoa.custody.secret import Secret
from stoa.demo.cast import party_number
from stoa.demo.chapters.control import NEW_ACCOUNT
from stoa.demo.parts import RETAIL
from stoa.demo.stage import Stage

PASSWORD: Final = "harbour-demo"  # printed on the console: there is nothing to protect


def admit(stage: Stage) -> list[str]:
    """Add the users once the story is told. Returns their names."""
    users, now = stage.services.users, stage.clock()
    terms = stage.dossier.terms
    for one in stage.dossier.investors:
        account = stage.account(NEW_ACCOUNT if one.id == RETAIL else one.id)
        party = party_number(one.id)
        users.add(
            one.id, Secret(PASSWORD), now, roles=("investor",), accounts=(account,), party=party,
            language="ko" if one.country == "KR" else "en",
        )  # fmt: skip
    for code in (terms.registrar, terms.agent, terms.supervisor):
        users.add(code.lower(), Secret(PASSWORD), now, roles=("clerk",), accounts=(stage.account(code),))
    return [user.id for user in users.listing()]
