"""A second ledger, as plain as can be: dictionaries and lists, nothing incremental, no code shared with the first.

One security (HBT) and one cash token (USD), one registrar's worth of rules. Every act returns the name of the first
reason against it, or an empty word if it happened. Times are milliseconds, names are those of accounts and persons.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

DAY = 86_400_000
OPEN = ("KR", "US", "JP")
FORCE = ("forced", "recovery")
AUTHORISED = 5_000


@dataclass
class Claim:
    value: str
    expires: int
    revoked: bool = False


@dataclass
class Lot:
    number: int
    units: int
    acquired: int
    cost: int
    locked: int


@dataclass
class Hold:
    number: int
    units: int
    owner: str
    expires: int
    placed: int


@dataclass
class Line:
    units: int = 0
    frozen: int = 0
    since: int = 0
    lots: list[Lot] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    bought: int = 0  # lots so far

    @property
    def held(self) -> int:
        return sum(hold.units for hold in self.holds)

    @property
    def free(self) -> int:
        return max(0, self.units - self.held - self.frozen)


class Naive:
    """The model. ``rules``: name → figure, of CAP, MAX, PERIOD and JAPAN; a missing name is not in force."""

    def __init__(self, time: int, owners: dict[str, str]) -> None:
        self.time = time
        self.owners = owners  # account → person
        self.claims: dict[str, Claim] = {}
        self.lines: dict[tuple[str, str], Line] = {}
        self.frozen: set[str] = set()
        self.moved: dict[str, str] = {}
        self.paused: set[str] = set()
        self.rules: dict[str, int] = {}
        self.counted: dict[tuple[str, str], str] = {}  # (asset, person) → the country he is counted under
        self.holds = 0

    def line(self, asset: str, account: str) -> Line:
        return self.lines.setdefault((asset, account), Line())

    def position(self, asset: str, person: str) -> int:
        return sum(
            line.units for (a, account), line in self.lines.items() if a == asset and self.owners[account] == person
        )

    def holders(self, asset: str) -> list[str]:
        return [person for person in dict.fromkeys(self.owners.values()) if self.position(asset, person)]

    def supply(self, asset: str) -> int:
        return sum(line.units for (a, _), line in self.lines.items() if a == asset)

    def country(self, person: str) -> str:
        claim = self.claims.get(person)
        return claim.value if claim and not claim.revoked and claim.expires > self.time else ""

    def tick(self, milliseconds: int) -> None:
        """Time passes, and holds end."""
        self.time += milliseconds
        for line in self.lines.values():
            line.holds = [hold for hold in line.holds if not hold.expires or hold.expires > self.time]

    # what speaks against a movement

    def against(
        self, phase: str, asset: str, source: str, to: str, units: int, picks: list[tuple[int, int]], released: int = 0
    ) -> Iterator[str]:
        for account in (source, to):
            if account in self.moved:
                yield "AccountMoved"
            if account in self.frozen and phase not in FORCE:
                yield "AccountFrozen"
        if source == to:
            yield "SameAccount"
        if asset in self.paused and phase not in FORCE:
            yield "AssetPaused"
        if source:
            yield from self._wanting(phase, self.line(asset, source), units, released)
            if asset == "HBT" and self.line(asset, source).units >= units:
                yield from self._lots_wanting(phase, self.line(asset, source), units, picks)
        elif asset == "HBT" and self.supply(asset) + units > AUTHORISED:
            yield "AuthorisedExceeded"
        yield from self._rules_against(phase, asset, source, to, units, picks)

    def _wanting(self, phase: str, line: Line, units: int, released: int) -> Iterator[str]:
        free = max(0, line.units - line.held - line.frozen + released)
        if phase in FORCE:
            if line.units < units:
                yield "InsufficientUnits"
        elif free < units:
            if line.units < units:
                yield "InsufficientUnits"
            elif line.units - line.held + released >= units:
                yield "UnitsFrozen"
            else:
                yield "InsufficientFreeUnits"

    def _lots_wanting(self, phase: str, line: Line, units: int, picks: list[tuple[int, int]]) -> Iterator[str]:
        open_lots = {lot.number: lot.units for lot in line.lots if lot.locked <= self.time or phase in FORCE}
        if picks:
            if sum(part for _, part in picks) != units or any(open_lots.get(n, 0) < part for n, part in picks):
                yield "LotsInvalid"
        elif sum(open_lots.values()) < units:
            yield "UnitsLocked"

    def _rules_against(
        self, phase: str, asset: str, source: str, to: str, units: int, picks: list[tuple[int, int]]
    ) -> Iterator[str]:
        sender, receiver = self.owners.get(source, ""), self.owners.get(to, "")
        if receiver:
            claim, country = self.claims.get(receiver), self.country(receiver)
            if claim is None:
                yield "NotIdentified"
            elif not country:
                yield "ClaimRevoked" if claim.revoked else "ClaimExpired"
            elif asset == "HBT" and country not in OPEN:
                yield "CountryNotOpen"
        if asset == "HBT" and phase in ("issue", "transfer", "settlement"):
            line = self.line(asset, source) if source else Line()
            for name, figure in self.rules.items():
                if not self._obeyed(name, figure, phase, sender, receiver, line, units, picks):
                    yield "RuleFailed"

    def _obeyed(
        self, name: str, figure: int, phase: str, sender: str, receiver: str, line: Line, units: int,
        picks: list[tuple[int, int]],
    ) -> bool:  # fmt: skip
        after = {person: self.position("HBT", person) for person in dict.fromkeys(self.owners.values())}
        enters = not after[receiver]
        after[receiver] += units
        if sender:
            after[sender] -= units
        if name == "CAP":
            return not enters or sum(1 for held in after.values() if held > 0) <= figure
        if name == "MAX":
            return after[receiver] <= figure
        if name == "JAPAN":
            country = {person: self.counted.get(("HBT", person), "") for person in after}
            if enters:
                country[receiver] = self.country(receiver)
            return sum(1 for person, held in after.items() if held > 0 and country[person] == "JP") <= figure
        if phase == "issue" or self.country(sender) != "US":
            return True
        taken = self._taken(phase, line, units, picks)
        return not taken or (self.time - max(lot.acquired for lot, _ in taken)) // DAY >= figure

    def _taken(self, phase: str, line: Line, units: int, picks: list[tuple[int, int]]) -> list[tuple[Lot, int]]:
        if picks:
            by_number = {lot.number: lot for lot in line.lots}
            return [(by_number[number], part) for number, part in picks if number in by_number]
        taken = []
        for lot in line.lots:
            if units and (lot.locked <= self.time or phase in FORCE):
                taken.append((lot, min(units, lot.units)))
                units -= taken[-1][1]
        return taken

    # what a movement does

    def move(
        self, phase: str, asset: str, source: str, to: str, units: int, cost: int = 0, locked: int = 0,
        picks: list[tuple[int, int]] | None = None,
    ) -> None:  # fmt: skip
        sender, receiver = self.owners.get(source, ""), self.owners.get(to, "")
        entering = receiver and not self.position(asset, receiver)
        arriving = [Lot(0, units, self.time, cost, locked)]
        if source:
            line = self.line(asset, source)
            line.units -= units
            if asset == "HBT":
                arriving = self._leave(phase, line, units, cost, picks or [], sender == receiver)
        if to:
            line = self.line(asset, to)
            line.units += units
            for lot in arriving if asset == "HBT" else ():
                line.lots.append(Lot(line.bought, lot.units, lot.acquired, lot.cost, lot.locked))
                line.bought += 1
        if sender and not self.position(asset, sender):
            self.counted.pop((asset, sender), None)
        if entering:
            self.counted[asset, receiver] = self.country(receiver)

    def _leave(
        self, phase: str, line: Line, units: int, cost: int, picks: list[tuple[int, int]], carried: bool
    ) -> list[Lot]:
        taken = self._taken(phase, line, units, picks)
        carried_lots, locks = [], [0]
        for lot, part in taken:
            share = lot.cost * part // lot.units
            carried_lots.append(Lot(0, part, lot.acquired, share, lot.locked))
            locks.append(lot.locked if lot.locked > self.time else 0)
            lot.units, lot.cost = lot.units - part, lot.cost - share
        line.lots = [lot for lot in line.lots if lot.units]
        return carried_lots if carried else [Lot(0, units, self.time, cost, max(locks))]

    # acts

    def transfer(
        self, phase: str, asset: str, source: str, to: str, units: int, cost: int = 0, locked: int = 0,
        picks: list[tuple[int, int]] | None = None,
    ) -> str:  # fmt: skip
        """Issue (no source), redemption (no receiver) and transfer."""
        for reason in self.against(phase, asset, source, to, units, picks or []):
            return reason
        self.move(phase, asset, source, to, units, cost, locked, picks)
        return ""

    def force(self, source: str, to: str, units: int) -> str:
        for reason in self.against("forced", "HBT", source, to, units, []):
            return reason
        line = self.line("HBT", source)
        wanting, unfrozen = units - line.free, 0
        encumbrances: list[tuple[int, int, Hold | None]] = [(hold.placed, hold.number, hold) for hold in line.holds]
        if line.frozen:
            encumbrances.append((line.since, 0, None))
        for _, _, hold in sorted(encumbrances, key=lambda one: one[:2]):
            if hold:
                part = max(0, min(wanting, hold.units))
                hold.units -= part
            else:
                part = unfrozen = max(0, min(wanting, line.frozen, line.units - line.held))
                self._freeze(line, -part)
            wanting -= part
        line.holds = [hold for hold in line.holds if hold.units]
        self.move("forced", "HBT", source, to, units)
        if self.owners[source] == self.owners[to]:
            self._freeze(self.line("HBT", to), units if source in self.frozen else unfrozen)
        return ""

    def _freeze(self, line: Line, units: int) -> None:
        if units:
            line.frozen += units
            line.since = (line.since or self.time) if line.frozen else 0

    def freeze(self, account: str, units: int, free: bool) -> str:
        if account in self.moved:
            return "AccountMoved"
        line = self.line("HBT", account)
        if free and units > line.frozen:
            return "FreezeTooSmall"
        self._freeze(line, -units if free else units)
        return ""

    def hold(self, account: str, units: int, owner: str, expires: int) -> str:
        line = self.line("HBT", account)
        if account in self.moved:
            return "AccountMoved"
        if account in self.frozen:
            return "AccountFrozen"
        if expires and expires <= self.time:
            return "ExpiryPast"
        for reason in self._wanting("hold", line, units, 0):
            return reason
        self._place(line, units, owner, expires, self.time)
        return ""

    def _place(self, line: Line, units: int, owner: str, expires: int, placed: int) -> None:
        self.holds += 1
        line.holds.append(Hold(self.holds, units, owner, expires, placed))

    def execute(self, account: str, number: int, to: str, units: int) -> str:
        line = self.line("HBT", account)
        [hold] = [hold for hold in line.holds if hold.number == number] or [None]
        if hold is None:
            return "HoldUnknown"
        if units > hold.units:
            return "HoldTooSmall"
        for reason in self.against("settlement", "HBT", account, to, units, [], released=units):
            return reason
        hold.units -= units
        line.holds = [one for one in line.holds if one.units]
        self.move("settlement", "HBT", account, to, units)
        return ""

    def recover(self, lost: str, new: str) -> str:
        for reason in self._recovery_against(lost, new):
            return reason
        for asset in ("HBT", "USD"):
            old, target = self.line(asset, lost), self.line(asset, new)
            if not (old.units or old.frozen):
                continue
            if old.units:
                self.move("recovery", asset, lost, new, old.units)
            for hold in old.holds:
                self._place(target, hold.units, hold.owner, hold.expires, hold.placed)
            target.frozen, target.since = old.frozen, old.since
            old.holds, old.frozen, old.since = [], 0, 0
        if lost in self.frozen:
            self.frozen.add(new)
        self.moved[lost] = new
        return ""

    def _recovery_against(self, lost: str, new: str) -> Iterator[str]:
        if lost == new:
            yield "SameAccount"
        if self.owners[lost] != self.owners[new]:
            yield "NotSamePerson"
        if lost in self.moved or new in self.moved:
            yield "AccountMoved"
        for asset in ("HBT", "USD"):
            old, target = self.line(asset, lost), self.line(asset, new)
            if (old.units or old.frozen) and (target.units or target.frozen):
                yield "NotEmpty"
        for asset in ("HBT", "USD"):
            if units := self.line(asset, lost).units:
                yield from self.against("recovery", asset, lost, new, units, [])

    def attest(self, person: str, country: str, expires: int) -> None:
        self.claims[person] = Claim(country, expires)
        for asset in ("HBT", "USD"):
            if (asset, person) in self.counted:
                self.counted[asset, person] = country
