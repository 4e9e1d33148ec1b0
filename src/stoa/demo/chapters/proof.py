"""Chapter 7: proof. The journal is proven from genesis; a holder takes proofs home that need nobody's word."""

from pathlib import Path
from typing import Final

import msgspec

from stoa.client import check_proof
from stoa.client.views import Keys
from stoa.demo.parts import FUND
from stoa.demo.story import Story
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import HoldingLine, Receipt
from stoa.node.verify import verify
from stoa.wire.proof import BadProof

KEYS: Final = "public-keys.json"


def tell(story: Story) -> None:
    """Verify, export, check, and spoil."""
    story.chapter(7, "Proof: from genesis, and in one's own hands", "증명: 제네시스부터, 그리고 내 손안에서")
    _verify(story)
    _prove(story)


def _verify(story: Story) -> None:
    stage, report = story.stage, story.report
    checkpoint = stage.node.checkpoint()
    verified = verify(stage.folder / "journal")
    story.fact(
        f"stoa verify executes all {verified.height} blocks and {verified.transactions} transactions again: "
        f"no flaw in {verified.rows} rows.",
        f"stoa verify가 {verified.height}개 블록과 {verified.transactions}건의 거래를 다시 실행합니다. "
        f"{verified.rows}개 행에 흠이 없습니다.",
        [],
        list(verified.flaws),
    )
    story.fact(
        "The state root that it computes is the one that the validator signed.",
        "계산된 상태 루트가 검증인이 서명한 것과 같습니다.",
        checkpoint.state_root.hex(),
        verified.state_root.hex(),
    )
    report.height, report.block_hash = verified.height, verified.block_hash.hex()
    report.state_root = verified.state_root.hex()
    report.verified = {
        "height": verified.height, "transactions": verified.transactions, "rows": verified.rows,
        "flaws": list(verified.flaws),
    }  # fmt: skip


def _prove(story: Story) -> None:
    stage, terms = story.stage, story.dossier.terms
    folder = stage.folder / "proofs"
    folder.mkdir()
    (folder / KEYS).write_bytes(msgspec.json.format(msgspec.json.encode(stage.client.keys())))
    holding = stage.holding(terms.code, FUND)
    line = stage.ground.prove_holding(terms.code, stage.account(FUND))
    story.fact(
        f"{FUND} proves its holding with a file and the validators' public keys alone.",
        f"{FUND}이(가) 파일과 검증인의 공개키만으로 자신의 보유를 증명합니다.",
        f"{FUND} has {holding['units']} units of {terms.code}, {holding['held']} held",
        _checked(story, folder / "holding.proof", line),
    )
    bought = next(step.receipts[0] for step in story.report.steps if step.en.startswith(f"{FUND} subscribes"))
    story.fact(
        "And the receipt of its subscription in the same way.",
        "청약의 영수증도 같은 방법으로 증명합니다.",
        f"applied: {bought.transaction}",
        _checked(story, folder / "receipt.proof", stage.client.prove_receipt(bytes.fromhex(bought.transaction))),
    )
    spoiled = bytearray((folder / "holding.proof").read_bytes())
    spoiled[-1] ^= 1  # in the path; one vote of more than a quorum could be spared
    story.fact(
        "A proof with one bit changed proves nothing.",
        "한 비트라도 바뀐 증명은 아무것도 증명하지 못합니다.",
        "refused",
        _checked(story, folder / "spoiled.proof", bytes(spoiled)),
    )


def _checked(story: Story, path: Path, proof: bytes) -> str:
    """Write a proof to its file, then read files alone and say in short what they show."""
    path.write_bytes(proof)
    keys = msgspec.json.decode((path.parent / KEYS).read_bytes(), type=Keys)
    try:
        found = check_proof(path.read_bytes(), keys.public(), keys.quorum)
    except (BadProof, Malformed):
        shows = "refused"
    else:
        shows = _shown(story, found)
    story.report.proofs.append({"file": path.name, "bytes": len(proof), "shows": shows})
    return shows


def _shown(story: Story, found: Receipt | HoldingLine) -> str:
    if isinstance(found, Receipt):
        return f"{'applied' if found.applied else 'refused'}: {found.transaction.hex()}"
    name = story.stage.cast.name_of(found.account)
    return f"{name} has {found.units} units of {found.asset}, {found.held} held"
