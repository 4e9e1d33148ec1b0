"""Addresses against BIP 350 written down a second time: round trips, errors found, one spelling an account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel.identifiers import BadAddress, account_id, address, is_code, parse_address

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
accounts = st.binary(min_size=20, max_size=20)


def checksum_holds(text: str) -> bool:
    """BIP 350's reference verification (bech32m)."""
    prefix, _, body = text.rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [LETTERS.find(c) for c in body]
    check = 1
    for value in values:
        top = check >> 25
        check = ((check & 0x1FFFFFF) << 5) ^ value
        for bit, constant in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if (top >> bit) & 1:
                check ^= constant
    return check == 0x2BC830A3


@given(accounts)
def test_an_address_leads_back_to_its_account(account: bytes) -> None:
    text = address(account)
    assert text.startswith("stoa1")
    assert len(text) == 5 + 32 + 6
    assert checksum_holds(text)
    assert parse_address(text) == parse_address(text.upper()) == parse_address(f" {text}\n") == account


@given(accounts, st.data())
def test_up_to_four_wrong_letters_are_found(account: bytes, data: st.DataObject) -> None:
    """A bech32m checksum finds every error of at most four letters."""
    text = address(account)
    places = data.draw(st.lists(st.integers(5, len(text) - 1), min_size=1, max_size=4, unique=True))
    letters = list(text)
    for place in places:
        letters[place] = data.draw(st.sampled_from(LETTERS.replace(letters[place], "")))
    with pytest.raises(BadAddress, match="checksum"):
        parse_address("".join(letters))


@given(accounts, st.integers(5, 42))
def test_swapped_or_missing_letters_are_found(account: bytes, at: int) -> None:
    text = address(account)
    swapped = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    for wrong in {swapped, text[:at] + text[at + 1 :]} - {text}:
        with pytest.raises(BadAddress):
            parse_address(wrong)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "starts with"),
        ("stoa", "starts with"),
        ("stoa1", "letters"),
        ("stoa1qqqqqq", "letters"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "starts with"),
        ("stoa1" + "b" * 38, "letters"),
        ("Stoa1" + "q" * 38, "case"),
        ("stoa1" + "q" * 38, "checksum"),
        ("ſtoa1" + "q" * 38, "starts with"),
        (address(bytes(20)).replace("k", "\u212a") + "\u212a", "case"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadAddress, match=why):
        parse_address(text)


@pytest.mark.parametrize("length", [0, 1, 19, 21, 32])
def test_other_lengths_are_no_accounts(length: int) -> None:
    with pytest.raises(BadAddress):
        parse_address(address(bytes(length)))


def test_an_account_follows_from_the_threshold_and_the_set_of_keys() -> None:
    first, second = b"\x02" * 33, b"\x03" * 33
    assert account_id(1, (first, second)) == account_id(1, (second, first))
    assert len({account_id(1, (first,)), account_id(1, (second,)), account_id(1, (first, second)),
                account_id(2, (first, second))}) == 4  # fmt: skip


@pytest.mark.parametrize("text", ["A", "HBT", "KRW.1", "BROKER-A", "9" * 24])
def test_codes(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize("text", ["", "hbt", ".A", "A B", "HBT\n", "A" * 25, "HBT\0", "ÄB", "A_B"])
def test_what_is_no_code(text: str) -> None:
    assert not is_code(text)
