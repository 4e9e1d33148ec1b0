"""Everything that there is, is described; and the reference says what the code says."""

import re
from collections.abc import Iterator
from difflib import unified_diff

import msgspec

from scripts.reference import api
from scripts.reference.pages import stale
from stoa.agreement.details import NoQuorum
from stoa.cli.app import COMMANDS
from stoa.cli.shell import app
from stoa.kernel import limits
from stoa.ledger.catalog import EVENTS, INSTRUCTIONS, REJECTIONS, VERBS, tag_of
from stoa.ledger.compliance.facts import FACTS
from stoa.ledger.compliance.model import PHASES
from stoa.ledger.governance.model import BOUNDS
from stoa.ledger.identity.model import ROLES
from stoa.node.commit import BAD_BATCH
from stoa.node.config import NETWORK_TEMPLATE, TEMPLATE, Config, Network
from stoa.node.details import ALARMS, DETAILS, EVIDENCE
from stoa.node.health import Network as Standing
from stoa.node.health import troubles
from stoa.ordering.condition import Condition, Kind
from tests.docs.pages import DOCS, ROOT, WRITTEN, text_of

REFERENCE = DOCS / "reference"


def page(name: str) -> str:
    return text_of(REFERENCE / name)


def test_the_reference_is_current() -> None:
    late = stale()
    said = [
        line for name, text in late.items() for line in unified_diff(page(name).split("\n"), text.split("\n"), name)
    ]
    assert not late, "run `make reference`:\n" + "\n".join(said)


def test_every_instruction_and_event_says_what_it_means() -> None:
    for kinds, name in ((INSTRUCTIONS, "instructions.md"), (EVENTS, "events.md")):
        text = page(name)
        for kind in kinds:
            assert f"`{tag_of(kind)}`. " in text
            assert kind.__doc__
            assert all(f"| `{field}` |" in text for field in kind.__struct_fields__)


def test_every_instruction_says_why_it_is_refused() -> None:
    named = {kind.__name__ for kind in REJECTIONS}
    for kind in INSTRUCTIONS:
        said = VERBS[kind].rejections.__doc__ or ""
        words = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", said))
        assert words, kind
        assert words <= named, f"{kind.__name__}: {words - named} are no rejections"


def test_every_rejection_has_number_name_and_sentences() -> None:
    text = page("rejections.md")
    for kind in REJECTIONS:
        assert f"| {tag_of(kind)} | `{kind.__name__}` |" in text
        assert kind.__doc__
        assert kind.en in text
        assert kind.ko in text


def test_every_fact_phase_parameter_and_limit_is_described() -> None:
    facts, parameters = page("facts.md"), page("parameters.md")
    assert all(f"| `{name}` |" in facts for name in (*FACTS, *PHASES))
    assert all(f"| `{name}` |" in parameters for name in BOUNDS)
    assert all(f"| `{name}` |" in parameters for name in vars(limits) if name.startswith("MAX_"))


def test_every_setting_says_what_it_means() -> None:
    text = page("settings.md")
    explained = [(field.name, TEMPLATE) for field in msgspec.structs.fields(Config) if field.name != "network"]
    explained += [(field.name, NETWORK_TEMPLATE) for field in msgspec.structs.fields(Network)]
    for name, template in explained:
        assert re.search(rf"^{name} = .*# \w", template, re.MULTILINE), f"{name} is not explained"
        assert re.search(rf"^\| `{name}` \| .+ \| \w.+ \|$", text, re.MULTILINE)


def test_every_variable_of_the_environment_is_described() -> None:
    sources = "".join(text_of(path) for path in (ROOT / "src/stoa").rglob("*.py"))
    variables = set(re.findall(r'"(STOA_[A-Z_]+)"', sources))
    assert variables
    assert all(f"| `{name}` |" in page("settings.md") for name in variables), variables


def test_every_route_says_what_it_does() -> None:
    text = page("api.md")
    for path, methods in api.schema()["paths"].items():
        for method, operation in methods.items():
            assert f"`{method.upper()} {path}`" in text
            assert operation.get("description"), path


def commands(under: object = app, path: str = "stoa") -> Iterator[tuple[str, str]]:
    """Every command by its whole name, with its help."""
    for name in under:  # type: ignore[attr-defined]
        if not name.startswith("-"):
            one = under[name]  # type: ignore[index]
            yield f"{path} {name}", one.help
            yield from commands(one, f"{path} {name}")


def test_every_command_says_what_it_does() -> None:
    text = page("cli.md")
    known = dict(commands())
    assert len(known) > len(COMMANDS)
    for name, said in known.items():
        assert f"# {name}\n" in text
        assert said, name


def test_every_command_that_a_document_uses_exists() -> None:
    known = dict(commands())
    for document in WRITTEN:
        for found in re.findall(r"\bstoa ([a-z][a-z-]+(?: [a-z][a-z-]+)?)", _code(text_of(document))):
            first, _, second = found.partition(" ")
            name = f"stoa {first}"
            assert name in known, f"{document.name}: {name}"
            if any(one.startswith(f"{name} ") for one in known) and second:
                assert f"{name} {second}" in known, f"{document.name}: {name} {second}"


def test_every_option_that_a_document_uses_exists() -> None:
    known = set(re.findall(r"--[a-z-]+", page("cli.md")))
    for document in WRITTEN:
        for line in re.findall(r"\bstoa [a-z].*", _code(text_of(document))):
            for option in re.findall(r"(--[a-z][a-z-]+)", line):
                assert option in known, f"{document.name}: {option}"


def test_every_tag_and_route_that_a_document_names_exists() -> None:
    tags = {str(tag_of(kind)) for kind in (*INSTRUCTIONS, *EVENTS)}
    routes = {re.sub(r"\{\w+\}", "{}", path) for path in api.schema()["paths"]} | {"/v1", "/v1/openapi.json"}
    for document in WRITTEN:
        text = text_of(document)
        assert set(re.findall(r"\b[a-z_]+\.[a-z_]+\.v1\b", text)) <= tags, document
        for path in re.findall(r"(?:GET|POST) (/[\w/{}.-]+)", text.replace("\n", " ")):
            assert re.sub(r"\{\w+\}", "{}", path) in routes, f"{document.name}: {path}"


def test_every_metric_is_in_the_operators_page() -> None:
    source = text_of(ROOT / "src/stoa/api/metrics.py")
    named = set(re.findall(r'"(stoa_\w+)"', source))
    counters = set(re.findall(r'CounterMetricFamily\(\s*"(stoa_\w+)"', source))
    text = text_of(DOCS / "operations/health.md")
    assert len(named) > len(counters) > 0
    for name in named:
        assert f"`{name}{'_total' if name in counters else ''}`" in text, name


def test_every_role_is_in_the_page_about_identity() -> None:
    text = text_of(DOCS / "concepts/identity.md")
    assert all(f"`{role}`" in text for role in ROLES)


def _code(text: str) -> str:
    """What a page sets as code."""
    return "\n".join([*re.findall(r"^```.*?^```$|^    .*$", text, re.M | re.S), *re.findall(r"`[^`\n]+`", text)])


def test_every_alarm_and_every_condition_of_the_log_has_an_entry_in_the_runbook() -> None:
    text = text_of(DOCS / "operations/runbook.md")
    assert all(f"## Alarm `{kind}`\n" in text for kind in ALARMS)
    conditions = [kind for kind in Kind if kind is not Kind.WELL]
    assert all(f"`{kind}`" in text or f"The ordering log is {kind}\n" in text for kind in conditions)
    kinds = {BAD_BATCH, *(str(one.__struct_config__.tag) for one in DETAILS if one.kind == EVIDENCE)}
    assert all(f"| `{kind}` |" in text for kind in kinds), kinds


def test_every_metric_with_an_alarm_has_an_entry_in_the_runbook() -> None:
    rows = re.findall(r"^\| `(stoa_\w+)` \|.*\|([^|\n]*)\|$", text_of(DOCS / "operations/health.md"), re.M)
    alarming = [name for name, when in rows if when.strip()]
    text = text_of(DOCS / "operations/runbook.md")
    assert len(rows) > len(alarming) > 0
    assert not [name for name in alarming if not re.search(rf"\b{name}\b", text)]


def test_every_sentence_of_a_door_that_is_not_ready_has_an_entry_in_the_runbook() -> None:
    text = text_of(DOCS / "operations/runbook.md")
    heads = "\n".join(re.findall(r"^## (.*)$", text, re.M))
    for kind in (Kind.UNREACHABLE, Kind.GONE, Kind.REPLACED):
        nobody = Condition(kind, "")
        lost = Standing(
            "A", False, 1, 1, "majority", 2, ("A", "B"), (), (), True, {"split": NoQuorum(7, 3, "")},
            0, 0, 0, 0, nobody, None,
        )  # fmt: skip
        told = list(troubles(lost))
        entries = ("members must vote and", "has left the quorum", f"he ordering log is {kind}", "split")
        assert len(told) == len(entries)
        for sentence, entry in zip(told, entries, strict=True):
            assert entry in sentence.en
            assert entry in heads
