"""Input files: the example is read exactly, and each mistake is named with file, line, field, rule and figures."""

import shutil
from pathlib import Path

import pytest

from stoa.demo.files import load, read_pack
from stoa.demo.reading import BadFile
from stoa.kernel.money import Rate
from stoa.kernel.time import from_date

PACK = Path(__file__).resolve().parents[2] / "examples" / "rule-packs" / "us-reg-s.toml"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "harbour-tower"

MISTAKES = [
    ("term-sheet.toml", 'price = "100.00"', 'price = "99.00"', "security.value", "price times units must be the value"),
    ("term-sheet.toml", 'price = "100.00"', "price = 100.00", "security.price", "in quotes"),
    ("term-sheet.toml", 'price = "100.00"', 'price = "100.001"', "security.price", "2 decimals"),
    ("term-sheet.toml", "units = 100_000", "units = 0", "security.units", "from 1"),
    ("term-sheet.toml", "units = 100_000", "unit = 100_000", "security.units", "is missing"),
    (
        "term-sheet.toml",
        'form = "property share"',
        'form = "property share"\ntypo = 1',
        "security.typo",
        "no such field",
    ),
    ("term-sheet.toml", 'agent = "DANBI-TRUST"', 'agent = "MARU"', "roles.agent", "wanted is DANBI-TRUST"),
    ("term-sheet.toml", '"NARU-OTC", "SUPERVISOR", ', "", "ledger.validators", "names 5 institutions"),
    (
        "term-sheet.toml",
        '["HANUL-CSD", "NARU',
        '["NURI-ID", "NARU',
        "ledger.validators",
        "that of validator among them",
    ),
    ("term-sheet.toml", '"MARU", "PELICAN"]', '"MARU", "MARU"]', "ledger.validators", "each once"),
    ("term-sheet.toml", "starts = 2027-02-08", "starts = 8", "ledger.starts", "a date such as"),
    ("term-sheet.toml", '[issuer]\nname = "Harbour Tower SPC"', '[issuer]\nname = ""', "issuer.name", "1 to 120"),
    ("term-sheet.toml", 'roles = ["registrar"]', 'roles = ["king"]', "institution[0].roles", "registrar"),
    ("term-sheet.toml", "[security]", "[security", "text", "is not TOML"),
    ("qualification-rules.toml", "lots.age_days > 365", "lots.age_days => 365", "rule[1].require", "has no meaning"),
    ("qualification-rules.toml", "lots.age_days > 365", "lots.age_days >", "rule[1].require", "a word or a number"),
    ("qualification-rules.toml", "lots.age_days > 365", "(lots.age_days > 365", "rule[1].require", "expected ')'"),
    ("qualification-rules.toml", 'force = "policy"', 'force = "wish"', "rule[3].force", "law or future_law"),
    ("investors.csv", "tan-weiling,Tan", "kim-minseo,Tan", "id", "used once"),
    ("investors.csv", "SG,accredited,PELICAN,1986", "SG,accredited,DANBI-TRUST,1986", "broker", "MARU or PELICAN"),
    ("investors.csv", ",2027-08-31,", ",2026-08-31,", "identified_until", "after the story's start"),
    ("investors.csv", ",300000.00", ",300000.00,x", "row", "has 10 fields"),
    ("investors.csv", "id,name", "id,Name", "header", "the columns are"),
    ("offerings.toml", "soft_cap = 40_000", "soft_cap = 90_000", "offering[0].units", "soft_cap <= units <= hard_cap"),
    ("offerings.toml", "minimum = 100 ", "minimum = 30_000 ", "offering[0].minimum", "not above the limit"),
    ("offerings.toml", "until = 2027-03-08", "until = 2027-03-21", "offering[0].tier[1].until", "follow each other"),
    ("offerings.toml", 'allotment = "time"', 'allotment = "luck"', "offering[1].allotment", "pro_rata or time"),
    ("subscriptions.csv", "HBT-A,2027-03-05", "HBT-A,2027-04-05", "date", "window of HBT-A"),
    ("subscriptions.csv", "HBT-A,2027-03-05", "HBT-A,2027-03-02", "date", "in the order of time"),
    ("subscriptions.csv", "2027-03-05,merlion-capital", "2027-03-05,merlin", "investor", "merlion-capital"),
    ("rent-roll.csv", "4541.35,2,9082.70", "4541.35,2,9082.71", "received", "monthly_rent times months"),
    (
        "income.toml",
        "record = 2028-04-01",
        "record = 2028-05-01",
        "distribution.record",
        "announced < record <= payment",
    ),
    ("income.toml", 'amount = "38412.77"', 'amount = "999999.00"', "distribution.code", "leave something"),
    ("withholding.toml", 'default = "22 %"', 'default = "220 %"', "default", '"0 %" to "100 %"'),
    ("withholding.toml", 'default = "22 %"', "default = 22", "default", "wanted is a rate"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example to spoil."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "files"))


def test_the_example_reads_exactly() -> None:
    dossier = load(EXAMPLE)
    assert dossier.terms.price * dossier.terms.units == dossier.terms.value == 1_000_000_000
    assert dossier.income.rent_received == 27_492_059
    assert [cost.amount for cost in dossier.income.costs if cost.name == "manager's fee"] == [27_492_059 * 4 // 100]
    assert dossier.income.default_rate == Rate(11, 50)
    assert dossier.income.record == from_date(2028, 4, 1)
    assert len(dossier.investors) == 13
    assert {one.country for one in dossier.investors} == {"KR", "US", "SG", "BR"}
    assert dossier.offerings[0].price_on(from_date(2027, 3, 8) - 1) == 9_900
    assert dossier.offerings[0].price_on(from_date(2027, 3, 8)) == 10_000


def test_the_one_that_acts_comes_first_among_the_validators(folder: Path) -> None:
    assert load(folder).terms.validators == ("HANUL-CSD", "NARU-OTC", "SUPERVISOR", "MARU", "PELICAN")
    file = folder / "term-sheet.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("validators")]
    text = "\n".join(kept).replace('validator = "HANUL-CSD"', 'validator = "NURI-ID"')
    file.write_text(text, encoding="utf-8")
    assert load(folder).terms.validators == ("NURI-ID", "HANUL-CSD", "MARU", "PELICAN", "DANBI-TRUST")


@pytest.mark.parametrize(("file", "before", "after", "field", "rule"), MISTAKES)
def test_a_mistake_is_named(folder: Path, file: str, before: str, after: str, field: str, rule: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text, "the example has changed: this case changes nothing"
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        load(folder)
    assert caught.value.file == file
    assert caught.value.line > 0
    assert caught.value.field == field
    assert rule in str(caught.value)


def test_the_line_is_that_of_the_field(folder: Path) -> None:
    file = folder / "qualification-rules.toml"
    text = file.read_text(encoding="utf-8").replace("lots.age_days > 365", "lots.age_days ! 365")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        load(folder)
    assert "lots.age_days" in text.splitlines()[caught.value.line - 1]


def test_a_changed_document_has_another_hash(folder: Path) -> None:
    (folder / "offering-document.md").write_text("another", encoding="utf-8")
    before, after = load(EXAMPLE).terms.documents, load(folder).terms.documents
    assert before[0].sha256 != after[0].sha256
    assert before[1] == after[1]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "rent-roll.csv").unlink()
    with pytest.raises(BadFile, match=r"rent-roll\.csv: file: cannot be read"):
        load(folder)


def test_a_file_that_is_not_text_is_named(folder: Path) -> None:
    (folder / "investors.csv").write_bytes(b"id\n\xff")
    with pytest.raises(BadFile, match=r"investors\.csv:2: text: must be UTF-8"):
        load(folder)


def test_a_rule_pack_reads_exactly() -> None:
    pack = read_pack(PACK)
    assert (pack["code"], [rule["id"] for rule in pack["rules"]]) == ("US-REG-S", ["US-REGS-OFFER", "US-REGS-YEAR"])
    offer, year = pack["rules"]
    assert offer["effective"] == year["effective"] == from_date(1998, 4, 27)
    asked = year["require"]
    assert (asked["fact"], asked["op"], asked["value"]) == ("lots.age_days", ">", 365), "a year may have 366 days"


@pytest.mark.parametrize(
    ("before", "after", "field", "rule"),
    [
        (
            'code = "US-REG-S"',
            'code = "us"',
            "code",
            "a code is 1 to 24 capital letters, digits, dots and dashes, a le",
        ),
        ('title_ko = "', 'title = "', "title_ko", "is missing"),
        ("lots.age_days > 365", "lots.age_days => 365", "rule[1].require", "has no meaning"),
        ("[[rule]]", 'countries = ["KR"]\n\n[[rule]]', "countries", "no such field"),
    ],
)
def test_a_mistake_in_a_rule_pack_is_named(tmp_path: Path, before: str, after: str, field: str, rule: str) -> None:
    text = PACK.read_text(encoding="utf-8")
    assert before in text, "the example has changed: this case changes nothing"
    (tmp_path / "pack.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadFile, match=rule) as caught:
        read_pack(tmp_path / "pack.toml")
    assert caught.value.field == field
