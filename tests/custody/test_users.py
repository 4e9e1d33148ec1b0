"""Users, sessions and signed requests: who is at the door."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.custody import refusals as why
from stoa.custody import requests, sessions, throttle, users
from stoa.custody.requests import Requests
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret
from stoa.custody.sessions import Sessions
from stoa.custody.users import User, UserError, Users
from stoa.kernel import signing
from stoa.wire.request import NONCE_BYTES, Seal, sign_request

NOW = 1_800_000_000_000
PASSWORD = Secret("open sesame, open")
ACCOUNT = b"\1" * 20
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
SECRET = bytes(range(1, 33))
DOOR = "HARBOUR-BROKER"


@pytest.fixture
def folk(tmp_path: Path) -> Users:
    made = Users(tmp_path / "doors" / "users.db", CHEAP)
    made.add("kim", PASSWORD, NOW, roles=("investor",), accounts=(ACCOUNT,), party=2**63 - 1, language="ko")
    return made


def log_in(folk: Users, password: Secret = PASSWORD, user: str = "kim", at: int = NOW, source: str = "a") -> object:
    return folk.log_in(user, password, source, at)


def test_the_right_password_lets_in(folk: Users) -> None:
    user = log_in(folk)
    assert isinstance(user, User)
    assert (user.roles, user.accounts, user.party, user.language) == (
        ("investor",), (ACCOUNT,), 2**63 - 1, "ko",
    )  # fmt: skip
    actor = folk.actor("kim")
    assert actor is not None
    assert (actor.roles, actor.accounts) == (user.roles, user.accounts)


def test_a_wrong_password_an_unknown_and_a_shut_out_user_look_the_same(folk: Users) -> None:
    folk.add("lee", PASSWORD, NOW)
    folk.set_active("lee", False)
    answers = [log_in(folk, Secret("wrong password")), log_in(folk, user="nobody"), log_in(folk, user="lee")]
    assert answers == [why.BadCredentials()] * 3
    assert folk.actor("lee") is None
    assert folk.actor("nobody") is None
    assert log_in(folk, Secret("x" * 10_000), at=NOW + 1) == why.BadCredentials()


def test_the_file_is_private_and_holds_no_password_and_no_token(folk: Users, tmp_path: Path) -> None:
    token = Sessions(folk.engine).start("kim", NOW)
    for path in (tmp_path / "doors").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert PASSWORD.reveal() not in path.read_bytes()
        assert token.encode() not in path.read_bytes()


def test_a_stronger_cost_is_taken_over_at_the_next_login(folk: Users, tmp_path: Path) -> None:
    stronger = Users(tmp_path / "doors" / "users.db", Cost(passes=2, memory_kib=16, lanes=1))
    assert isinstance(log_in(stronger), User)
    with sqlite3.connect(tmp_path / "doors" / "users.db") as file:
        (kept,) = file.execute("select password from users").fetchone()
    assert "m=16,t=2" in kept
    assert isinstance(log_in(stronger), User)


def test_users_change(folk: Users) -> None:
    folk.set_roles("kim", ("officer",))
    folk.set_accounts("kim", ())
    folk.set_language("kim", "en")
    assert folk.need("kim").roles == ("officer",)
    assert folk.need("kim").accounts == ()
    folk.set_password("kim", Secret("another password"))
    assert log_in(folk) == why.BadCredentials()
    assert isinstance(log_in(folk, Secret("another password")), User)
    assert [user.id for user in folk.listing()] == ["kim"]
    assert folk.listing(after="kim") == ()


def test_what_cannot_be_a_user_is_refused(folk: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    for user, password in [("kim", PASSWORD), ("", PASSWORD), ("Kim", PASSWORD), ("lee", Secret("short"))]:
        with pytest.raises(UserError):
            folk.add(user, password, NOW)
    for change in (lambda: folk.set_roles("lee", ()), lambda: folk.add_key("lee", b"", "", NOW)):
        with pytest.raises(UserError):
            change()
    with pytest.raises(UserError):
        folk.set_roles("kim", tuple(map(str, range(users.MAX_LINKED + 1))))
    monkeypatch.setattr(users, "MAX_USERS", 1)
    with pytest.raises(UserError):
        folk.add("lee", PASSWORD, NOW)


def test_guessing_is_slowed_down_and_forgiven_by_the_right_password(folk: Users) -> None:
    for _ in range(throttle.FREE_FAILURES):
        assert log_in(folk, Secret("wrong password")) == why.BadCredentials()
    assert log_in(folk) == why.Throttled(NOW + 1_000, 1)  # even with the right password
    assert isinstance(log_in(folk, source="b", at=NOW + 1_000), User)
    assert log_in(folk, Secret("wrong password"), source="b", at=NOW + 1_001) == why.BadCredentials()


def test_a_source_that_tries_many_names_is_slowed_down(folk: Users) -> None:
    for place in range(throttle.FREE_FAILURES - 1):
        assert log_in(folk, user=f"guess{place}") == why.BadCredentials()
    assert isinstance(log_in(folk), User)  # a good login is no failure, but excuses none either
    assert log_in(folk, user="guess") == why.BadCredentials()
    assert isinstance(log_in(folk), why.Throttled)


def test_many_attempts_at_once_gain_nothing(folk: Users) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: log_in(folk, Secret("wrong password")), range(24)))
    assert sum(isinstance(answer, why.BadCredentials) for answer in answers) == throttle.FREE_FAILURES


@given(st.integers(0, 10**6))
def test_waits_grow_and_are_bounded(failures: int) -> None:
    assert throttle.wait(failures) <= throttle.wait(failures + 1) <= throttle.LONGEST_WAIT


def test_the_table_of_failures_is_bounded(folk: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_ATTEMPTS", 8)
    for place in range(20):
        log_in(folk, user=f"guess{place}", source=f"source{place}", at=NOW + place)
    with folk.engine.connect() as connection:
        assert len(connection.exec_driver_sql("select * from attempts").all()) <= 8


# ---- sessions


def test_a_session_lives_while_it_is_used_and_twelve_hours_at_most(folk: Users) -> None:
    doors = Sessions(folk.engine)
    token = doors.start("kim", NOW)
    step = sessions.IDLE_LIFE - 1
    at = NOW
    while at + step < NOW + sessions.WHOLE_LIFE:
        at += step
        found = doors.find(token, at)
        assert found is not None
        assert (found.user, found.created, found.seen) == ("kim", NOW, at)
    assert doors.find(token, NOW + sessions.WHOLE_LIFE) is None


def test_an_idle_session_ends(folk: Users) -> None:
    doors = Sessions(folk.engine)
    token = doors.start("kim", NOW)
    assert doors.find(token, NOW + sessions.IDLE_LIFE - 1) is not None
    idle = doors.start("kim", NOW)
    assert doors.find(idle, NOW + sessions.IDLE_LIFE) is None


def test_tokens_are_random_and_guesses_find_nothing(folk: Users) -> None:
    doors = Sessions(folk.engine)
    one, two = doors.start("kim", NOW), doors.start("kim", NOW)
    assert one != two
    assert len(one) >= 43
    first, second = doors.find(one, NOW), doors.find(two, NOW)
    assert first is not None
    assert second is not None
    assert first.form_token != second.form_token
    for guess in ("", one[:-1], one + "x", "x" * 10_000, "\ud55c"):
        assert doors.find(guess, NOW) is None


def test_logging_out(folk: Users) -> None:
    doors = Sessions(folk.engine)
    one, two, three = (doors.start("kim", NOW) for _ in range(3))
    doors.end(one)
    assert doors.find(one, NOW) is None
    assert doors.find(two, NOW) is not None
    doors.end_all("kim")
    assert doors.find(two, NOW) is None
    assert doors.find(three, NOW) is None


def test_a_new_password_and_shutting_out_end_the_sessions(folk: Users) -> None:
    doors = Sessions(folk.engine)
    token = doors.start("kim", NOW)
    folk.set_password("kim", Secret("another password"))
    assert doors.find(token, NOW) is None
    token = doors.start("kim", NOW)
    folk.set_active("kim", False)
    assert doors.find(token, NOW) is None
    folk.set_active("kim", True)
    assert doors.find(token, NOW) is None


def test_sessions_of_a_user_are_bounded(folk: Users) -> None:
    doors = Sessions(folk.engine)
    tokens = [doors.start("kim", NOW + place) for place in range(sessions.MAX_SESSIONS + 3)]
    living = [doors.find(token, NOW + 100) is not None for token in tokens]
    assert living == [False] * 3 + [True] * sessions.MAX_SESSIONS


# ---- signed requests


@pytest.fixture
def door(folk: Users) -> Requests:
    folk.add_key("kim", signing.public_key(SECRET), "the order machine", NOW)
    return Requests(folk.engine, DOOR)


def sealed(now: int = NOW, secret: bytes = SECRET, audience: str = DOOR) -> Seal:
    nonce = token_bytes(NONCE_BYTES)
    return sign_request(secret, audience, "POST", "/v1/intents?dry=1", b"{}", now, nonce)


def verify(door: Requests, seal: Seal, now: int = NOW) -> object:
    return door.verify(seal, "POST", "/v1/intents?dry=1", b"{}", now)


def test_a_signed_request_speaks_for_its_user_once(door: Requests, folk: Users) -> None:
    seal = sealed()
    assert verify(door, seal) == "kim"
    assert verify(door, seal) == why.Replayed()
    assert verify(Requests(folk.engine, DOOR), seal, NOW + requests.WINDOW) == why.Replayed()
    assert isinstance(verify(door, seal, NOW + requests.WINDOW + 1), why.StaleRequest)
    assert verify(door, sealed()) == "kim"


def test_a_replay_never_passes_at_any_time(door: Requests) -> None:
    seal = sealed()
    assert verify(door, seal) == "kim"
    for later in range(0, 3 * requests.WINDOW, requests.WINDOW // 4):
        assert verify(door, sealed(NOW + later), NOW + later) == "kim"  # each prunes what is old
        assert not isinstance(verify(door, seal, NOW + later), str)


def test_another_request_is_refused(door: Requests) -> None:
    seal = sealed()
    for method, target, body in [
        ("GET", "/v1/intents?dry=1", b"{}"),
        ("POST", "/v1/intents?dry=0", b"{}"),
        ("POST", "/v1/intents?dry=1", b"{ }"),
    ]:
        assert door.verify(seal, method, target, body, NOW) == why.BadSignature()
    assert verify(door, sealed(audience="OTHER-BROKER")) == why.BadSignature()
    later = Seal(seal.key, seal.time + 1, seal.nonce, seal.signature)
    other = Seal(seal.key, seal.time, bytes(16), seal.signature)
    short = Seal(seal.key, seal.time, b"", seal.signature)
    for changed in (later, other, short):
        assert verify(door, changed) == why.BadSignature()
    assert verify(door, seal) == "kim"  # none of the failed ones used up the nonce


@pytest.mark.parametrize("off", [-requests.WINDOW - 1, requests.WINDOW + 1])
def test_a_request_out_of_time_is_refused(door: Requests, off: int) -> None:
    assert verify(door, sealed(NOW + off)) == why.StaleRequest(NOW + off, NOW, requests.WINDOW)
    assert verify(door, sealed(NOW + off // 2)) == "kim"


def test_an_unknown_removed_or_shut_out_key_is_refused(door: Requests, folk: Users) -> None:
    assert verify(door, sealed(secret=b"\7" * 32)) == why.UnknownKey()
    folk.set_active("kim", False)
    assert verify(door, sealed()) == why.UnknownKey()
    folk.set_active("kim", True)
    (key,) = folk.api_keys("kim")
    folk.remove_key("lee", key.public)
    assert verify(door, sealed()) == "kim"
    folk.remove_key("kim", key.public)
    assert verify(door, sealed()) == why.UnknownKey()
    assert folk.api_keys("kim") == ()


def test_keys_and_requests_are_bounded(door: Requests, folk: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="registered"):
        folk.add_key("kim", signing.public_key(SECRET), "", NOW)
    with pytest.raises(UserError, match="compressed"):
        folk.add_key("kim", b"\4" * 33, "", NOW)
    monkeypatch.setattr(users, "MAX_API_KEYS", 1)
    with pytest.raises(UserError, match="at most 1"):
        folk.add_key("kim", signing.public_key(b"\7" * 32), "", NOW)
    monkeypatch.setattr(requests, "MAX_REQUESTS", 2)
    answers = [verify(door, sealed()) for _ in range(3)]
    assert answers == ["kim", "kim", why.TooManyRequests(2, 2 * requests.WINDOW)]


def test_the_operator_is_known_by_his_own_key_and_no_user_can_pass_for_him(folk: Users) -> None:
    operator = b"\5" * 32
    door = Requests(folk.engine, DOOR, signing.public_key(operator))
    seal = sealed(secret=operator)
    assert verify(door, seal) == requests.OPERATOR
    assert verify(door, seal) == why.Replayed()
    assert verify(Requests(folk.engine, DOOR), sealed(secret=operator)) == why.UnknownKey()
    with pytest.raises(UserError):
        folk.add(requests.OPERATOR, Secret("long enough password"), NOW)
