"""ECDSA on secp256k1 against the Wycheproof vectors, and the one accepted form of a signature."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stoa.kernel import signing

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF = ORDER // 2


def groups(external: Path, file: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads((external / "wycheproof" / file).read_text())["testGroups"]
    return groups


def compressed(group: dict[str, Any]) -> bytes:
    raw = bytes.fromhex(group["publicKey"]["uncompressed"])
    return bytes([2 + raw[64] % 2]) + raw[1:33]


def low(signature: bytes) -> bool:
    return int.from_bytes(signature[32:], "big") <= HALF


def test_wycheproof_p1363(external: Path) -> None:
    """The fixed-length form is ours, but for one thing: of the two signatures (r, s), (r, -s) only low-S is one."""
    seen = {True: 0, False: 0}
    for group in groups(external, "ecdsa_secp256k1_sha256_p1363_test.json"):
        for test in group["tests"]:
            raw = bytes.fromhex(test["sig"])
            wanted = test["result"] == "valid" and low(raw)
            found = signing.verify(compressed(group), sha256(bytes.fromhex(test["msg"])).digest(), raw)
            assert found == wanted, f"{test['tcId']}: {test['comment']}"
            seen[wanted] += 1
    assert min(seen.values()) > 50


def strict_der(raw: bytes) -> tuple[int, int] | None:
    """r and s of a strictly encoded DER signature, or None."""
    if len(raw) < 8 or raw[0] != 0x30 or raw[1] != len(raw) - 2 or raw[1] > 0x7F:
        return None
    numbers, rest = [], raw[2:]
    for _ in range(2):
        if len(rest) < 3 or rest[0] != 0x02 or not 0 < rest[1] <= len(rest) - 2 or rest[1] > 0x7F:
            return None
        body, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
            return None
        numbers.append(int.from_bytes(body, "big"))
    return None if rest else (numbers[0], numbers[1])


@pytest.mark.parametrize("file", ["ecdsa_secp256k1_sha256_bitcoin_test.json", "ecdsa_secp256k1_sha256_test.json"])
def test_wycheproof_der(external: Path, file: str) -> None:
    """DER is not our form: where a vector is strict DER of 32-byte numbers, its numbers are tried in ours."""
    seen = {True: 0, False: 0}
    for group in groups(external, file):
        for test in group["tests"]:
            numbers = strict_der(bytes.fromhex(test["sig"]))
            if numbers is None or max(numbers) >= 2**256:
                assert test["result"] != "valid"
                continue
            raw = numbers[0].to_bytes(32, "big") + numbers[1].to_bytes(32, "big")
            wanted = test["result"] != "invalid" and low(raw)
            found = signing.verify(compressed(group), sha256(bytes.fromhex(test["msg"])).digest(), raw)
            assert found == wanted, f"{test['tcId']}: {test['comment']}"
            seen[wanted] += 1
    assert min(seen.values()) > 20


SECRET, DIGEST = sha256(b"secret").digest(), sha256(b"message").digest()
PUBLIC = signing.public_key(SECRET)


def test_a_signature_is_deterministic_low_and_valid() -> None:
    signature = signing.sign(SECRET, DIGEST)
    assert signature == signing.sign(SECRET, DIGEST)
    assert low(signature)
    assert signing.verify(PUBLIC, DIGEST, signature)


def test_only_one_form_of_everything_is_accepted() -> None:
    signature = signing.sign(SECRET, DIGEST)
    high = signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    beyond = (int.from_bytes(signature[:32], "big") + ORDER).to_bytes(33, "big")[-32:] + signature[32:]
    for bad in (high, beyond, signature[:63], signature + b"\x00", bytes(64), b"\xff" * 64, b""):
        assert not signing.verify(PUBLIC, DIGEST, bad)
    for digest in (DIGEST[:31], DIGEST + b"\x00", sha256(DIGEST).digest()):
        assert not signing.verify(PUBLIC, digest, signature)
    other = bytes([PUBLIC[0] ^ 1]) + PUBLIC[1:]
    for key in (other, PUBLIC[:32], b"", b"\x04" + PUBLIC[1:], b"\x02" + b"\xff" * 32, bytes(33)):
        assert not signing.verify(key, DIGEST, signature)


def test_every_flipped_bit_spoils_a_signature() -> None:
    signature = signing.sign(SECRET, DIGEST)
    for bit in range(512):
        flipped = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(64, "big")
        assert not signing.verify(PUBLIC, DIGEST, flipped)


def test_keys() -> None:
    assert signing.public_key((1).to_bytes(32, "big")).hex() == (
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    )
    for secret in (bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32):
        with pytest.raises(ValueError, match=r"\w"):
            signing.public_key(secret)
    assert signing.is_public_key(PUBLIC)
    for bad in (b"\x02" + b"\xff" * 32, PUBLIC[:32], b"\x05" + PUBLIC[1:], bytes(33)):
        assert not signing.is_public_key(bad)
