"""The layered state against two plain dictionaries: whatever is put, taken back, sealed and made final."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stoa.kernel.codec import encode
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.state import ACCOUNT, NUMBER, TEXT, State, Table, Writes

NAMES = Table[str, int](200, "names", (TEXT,), int)
LINES = Table[tuple[str, bytes], int](201, "lines", (TEXT, ACCOUNT), int, scanned=True)
TRIPLES = Table[tuple[str, str, int], int](202, "triples", (TEXT, TEXT, NUMBER), int, scanned=True)
TABLES = (NAMES, LINES, TRIPLES)

words = st.sampled_from(["A", "AB", "B", ""])
keys = {
    NAMES: words,
    LINES: st.tuples(words, st.sampled_from([bytes(20), b"\xff" * 20, b"a" * 20])),
    TRIPLES: st.tuples(words, words, st.integers(0, 3)),
}
values = st.one_of(st.none(), st.integers(0, 3), st.integers(1_000, 1_003))


def test_the_write_set_does_not_depend_on_which_numbers_python_keeps_once() -> None:
    """Small integers are one object each, large ones are not, and where the line runs differs between Pythons."""
    sets = []
    for number in (5, 50_000):
        view = State(MemoryFinal())
        view.put(NAMES, "A", number)
        view.seal()
        view.put(NAMES, "A", number + 1)
        view.put(NAMES, "A", number * 2 - number)
        sets.append([key for key, _ in view.seal().rows])
    assert sets[0] == sets[1]


class StateModel(RuleBasedStateMachine):
    """``now`` is what reads must see; ``sealed`` are the blocks not yet final, with what was there before each."""

    @initialize()
    def start(self) -> None:
        self.final = MemoryFinal()
        self.view = State(self.final)
        self.now: dict[bytes, int] = {}
        self.settled: dict[bytes, int] = {}
        self.sealed: list[tuple[Writes, dict[bytes, int]]] = []
        self.marks: list[tuple[int, dict[bytes, int]]] = []
        self.begun: dict[bytes, int] = {}

    @rule(data=st.data(), table=st.sampled_from(TABLES), value=values)
    def put(self, data: st.DataObject, table: Table, value: int | None) -> None:  # type: ignore[type-arg]
        key = data.draw(keys[table])
        self.view.put(table, key, value)
        self.now.pop(table.pack(key), None)
        if value is not None:
            self.now[table.pack(key)] = value

    @rule(data=st.data(), table=st.sampled_from(TABLES), value=values)
    def change(self, data: st.DataObject, table: Table, value: int | None) -> None:  # type: ignore[type-arg]
        key = data.draw(keys[table])
        self.view.change(table, key, self.now.get(table.pack(key)), value)
        self.now.pop(table.pack(key), None)
        if value is not None:
            self.now[table.pack(key)] = value

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def get(self, data: st.DataObject, table: Table) -> None:  # type: ignore[type-arg]
        key = data.draw(keys[table])
        assert self.view.get(table, key) == self.now.get(table.pack(key))

    @rule(data=st.data(), table=st.sampled_from([LINES, TRIPLES]), limit=st.integers(0, 4))
    def scan(self, data: st.DataObject, table: Table, limit: int) -> None:  # type: ignore[type-arg]
        key = data.draw(keys[table])
        first = key[: data.draw(st.integers(0, len(table.parts) - 1))]
        after = data.draw(st.none() | keys[table].filter(lambda other: other[: len(first)] == first))
        prefix, start = table.pack_prefix(first), b"" if after is None else table.pack(after)
        wanted = sorted(raw for raw in self.now if raw.startswith(prefix) and raw > start)[:limit]
        found = self.view.scan(table, first, limit, after)
        assert [(table.pack(at), value) for at, value in found] == [(raw, self.now[raw]) for raw in wanted]

    @rule()
    def mark(self) -> None:
        self.marks.append((self.view.mark(), dict(self.now)))

    @precondition(lambda self: self.marks)
    @rule()
    def rollback(self) -> None:
        mark, self.now = self.marks.pop()
        self.view.rollback(mark)

    @rule()
    def seal(self) -> None:
        writes = self.view.seal()
        rows = dict(writes.rows)
        assert list(rows) == sorted(rows)
        assert {raw: encode(value) for raw, value in self.now.items()} == {
            raw: value
            for raw, value in ({raw: encode(value) for raw, value in self.begun.items()} | rows).items()
            if value is not None
        }
        self.sealed.append((writes, self.begun))
        self.begun, self.marks = dict(self.now), []

    @precondition(lambda self: self.sealed)
    @rule()
    def finalise(self) -> None:
        writes, _ = self.sealed.pop(0)
        self.final.write(writes)
        self.view.finalised()
        self.settled = self.sealed[0][1] if self.sealed else self.begun

    @rule()
    def discard(self) -> None:
        self.view.discard()
        self.now, self.begun, self.sealed, self.marks = dict(self.settled), dict(self.settled), [], []

    @rule()
    def read_from_the_final_state_alone(self) -> None:
        other = State(self.final)
        for table in (LINES, TRIPLES):
            rows = {table.pack(key): value for key, value in other.scan(table, (), 1_000)}
            assert rows == {raw: value for raw, value in self.settled.items() if raw[0] == table.number}


TestState = StateModel.TestCase
TestState.settings = settings(max_examples=80, stateful_step_count=40)
