"""What members decide together, by who holds their folders: proposals made, votes cast, and how they stand.

Each institution acts at its own gateway with its own key; a machine that has one folder acts for one. How things stand
is read beside a running validator, from its final state. Changes are forms, as in files for ``stoa submit``.
Does not own: the rules (``ledger.governance``).
"""

from collections.abc import Callable
from typing import Any, Final

from stoa.client import Client, ClientError
from stoa.custody.keystore import Keystore, WrongPassphrase
from stoa.custody.secret import Secret
from stoa.kernel.base import Rejection
from stoa.ledger.catalog import INSTRUCTION_BY_TAG, Receipt
from stoa.network.looking import beside
from stoa.network.plan import HERE, Member
from stoa.network.running import Running
from stoa.node.config import load_config
from stoa.node.finality import Members
from stoa.node.node import STATE_FOLDER
from stoa.node.offline import Chamber, chamber_of
from stoa.wire.forms import pick_form, to_form

Form = dict[str, Any]
HOUR_MS: Final = 3_600_000
OPEN_HOURS: Final = 24  # for members to vote, unless told otherwise
AHEAD: Final = 4  # blocks from the proposal to its height, beside two for each member's vote
MAX_BLOCKS: Final = 256  # made to bring a height nearer


def latest(net: Running, number: int = 0) -> Chamber:
    """Members and open proposals, and that of this number, as the member here that is furthest knows them.

    Raises NotDecided when no validator ever ran here.
    """
    there = [net.folder / one.code for one in net.here if (net.folder / one.code / STATE_FOLDER).is_dir()]
    if not there:
        raise NotDecided("no validator of the network ever ran here: stoa network up --detach")
    return max((chamber_of(folder, number) for folder in there), key=lambda one: one.height)


class NotDecided(Exception):
    """The members cannot or did not decide it; the message says why."""


class AgainstRule(NotDecided):
    """The ledger has refused it, for this reason."""

    def __init__(self, why: Rejection, code: str = "") -> None:
        """``code`` is of the member that asked for it."""
        super().__init__()
        self._why, self._code = why, code

    def sentence(self, language: str) -> str:
        """In ``en`` or ``ko``."""
        why, by = self._why, f"{self._code}: " if self._code else ""
        return f"{by}{why.name} ({why.code}): {why.sentence(language)}"

    def __str__(self) -> str:
        return self.sentence("en")


class Deciding:
    """The members of a network whose validators run here."""

    def __init__(self, net: Running, passphrase: Secret) -> None:
        """Raises NotDecided when none runs."""
        self._net, self._passphrase = net, passphrase
        self.here = tuple(one for one in net.here if net.process(one, "validator").state == "running")
        if not self.here:
            raise NotDecided("no validator of the network is running here: stoa network up --detach")

    def chamber(self, number: int = 0) -> Chamber:
        """Members and open proposals, and this one, as the member that is furthest knows them."""
        return latest(self._net, number)

    def voters(self) -> tuple[Member, ...]:
        """The members here that have a seat, the first in the plan's order. Raises NotDecided when none has."""
        seats = self.chamber().members.keys
        able = tuple(one for one in self.here if one.code in seats)
        if not able:
            raise NotDecided("no validator with a seat is running here")
        return able

    def act(self, member: Member, form: Form) -> Receipt:
        """The receipt of an instruction that the member signs. Raises NotDecided, KeystoreError, BadForm."""
        inner = self._net.folder / member.code
        try:
            keystore = Keystore(inner / load_config(inner).keystore, self._passphrase)
        except WrongPassphrase as error:
            raise WrongPassphrase(f"{member.code}: {error}") from None
        account, instruction = keystore.key(member.code).account, pick_form(INSTRUCTION_BY_TAG, form)

        def send() -> Receipt:
            with Client(f"http://{HERE}:{member.port}") as client:
                body = client.build((instruction,), account)
                return client.send(keystore.sign_body(body, [(account, member.code)]))

        try:
            return beside(send, self._net.space(member))
        except ClientError as error:
            raise NotDecided(f"{member.code}: {error}") from None

    def propose(self, member: Member, change: Form, height: int, hours: int, reason: str) -> int:
        """The number of the member's new proposal; height 0 is one soon. Raises NotDecided, KeystoreError, BadForm."""
        found = self.chamber()
        soon, expires = found.height + AHEAD + 2 * len(found.members.keys), found.time + hours * HOUR_MS
        receipt = self.act(member, proposal_of(member.code, change, height or soon, expires, reason))
        require_applied(receipt)
        return next(int(event["proposal"]) for event in map(to_form, receipt.events) if "proposal" in event)

    def cast(self, member: Member, number: int, yes: bool) -> str:
        """Vote as the member, unless it has: ``yes``, ``no`` or ``had voted``. Raises NotDecided, KeystoreError."""
        known = self.chamber(number).ballots.get(number)
        if known is None or member.code not in known.votes:
            refused = self.vote(member, number, yes).rejection
            if refused is None:
                return "yes" if yes else "no"
            if refused.name != "AlreadyVoted":
                raise AgainstRule(refused, member.code)
        return "had voted"

    def vote(self, member: Member, number: int, yes: bool = True) -> Receipt:
        """The receipt of the member's vote. Raises NotDecided, KeystoreError."""
        form = {"tag": "governance.vote.v1", "proposal": number, "institution": member.code, "yes": yes}
        return self.act(member, form)

    def carry(self, change: Form, reason: str) -> int:
        """Have the change proposed and voted for by the members here, and wait until it is in force.

        An open proposal of the same change is taken up. Returns its number. Raises NotDecided, KeystoreError.
        """
        able, found = self.voters(), self.chamber()
        require_quorum(found.members, len(able))
        known = next((one for one in found.ballots.values() if one.change == change and one.stage == "open"), None)
        number = known.number if known else self.propose(able[0], change, 0, OPEN_HOURS, reason)
        voted = known.votes if known else {able[0].code: True}
        for one in able:
            if one.code not in voted:
                self.vote(one, number)
        self._bring_about(able[0], number)
        return number

    def _bring_about(self, member: Member, number: int) -> None:
        """Make blocks until the proposal is decided: an idle network makes none, so its height would never come."""

        def enacted() -> bool:
            ballot = self.chamber(number).ballots.get(number)
            if ballot is not None and ballot.stage == "lapsed":
                raise NotDecided(f"proposal {number} lapsed: too few votes before block {ballot.height}; do it again")
            return ballot is not None and ballot.stage == "enacted"

        self.blocks_until(member, number, enacted, f"proposal {number} is still open")

    def blocks_until(self, member: Member, number: int, condition: Callable[[], bool], else_: str) -> None:
        """Make blocks until something is so. Raises NotDecided."""
        for _ in range(MAX_BLOCKS):
            if condition():
                return
            self.vote(member, number)  # refused as a second one, and yet in a block
        raise NotDecided(f"{else_} after {MAX_BLOCKS} more blocks")


def proposal_of(institution: str, change: Form, height: int, expires: int, reason: str) -> Form:
    """The instruction that proposes the change."""
    return {
        "tag": "governance.propose.v1", "institution": institution, "change": change, "height": height,
        "expires": expires, "reason": reason,
    }  # fmt: skip


def require_quorum(members: Members, able: int) -> None:
    """Raise NotDecided if so few of the members cannot decide."""
    if able < members.quorum:
        raise NotDecided(
            f"{members.quorum} of {len(members.keys)} validators must agree, and {able} run here: "
            "on other hosts members use stoa network propose and stoa network vote"
        )


def require_applied(receipt: Receipt) -> None:
    """Raise AgainstRule if the ledger refused."""
    if receipt.rejection is not None:
        raise AgainstRule(receipt.rejection)
