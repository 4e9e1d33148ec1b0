"""``stoa users``: who may use the doors, in which roles, for which accounts, with which API keys.

Works beside a running node: what is changed counts from the next request on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from stoa.cli.houses import folder_of, secret
from stoa.cli.query import account_of
from stoa.cli.shell import PLAIN, Common, Language, Usage, app

if TYPE_CHECKING:
    from stoa.custody.secret import Secret
    from stoa.custody.users import ApiKey, User, Users

users = App(name="users", help="Users of the doors: who they are, what they may act for, their API keys and sessions.")
api_keys = App(name="api-keys", help="Public keys whose signatures on requests speak for a user.")
app.command(users)
users.command(api_keys)
Role = Annotated[list[str] | None, Parameter(name="--role", help="A role in the policy, e.g. clerk.", negative="")]
Account = Annotated[
    list[str] | None, Parameter(name="--account", help="An address that he acts for.", negative="")
]  # fmt: skip
Nothing = Annotated[bool, Parameter(name="--none", help="Take all of them away.", negative="")]
PublicKey = Annotated[str, Parameter(help="The compressed secp256k1 public key, 66 hexadecimal digits.")]


@contextmanager
def _book(common: Common) -> "Iterator[Users]":
    """The users' file. What cannot be done to a user is wrong use."""
    from stoa.custody.users import UserError, Users

    book = Users(folder_of(common) / "users.sqlite")
    try:
        yield book
    except UserError as error:
        raise Usage(str(error)) from None
    finally:
        book.close()


def _line(user: "User") -> dict[str, Any]:
    from stoa.kernel.identifiers import address

    return {
        "user": user.id, "roles": user.roles, "accounts": [address(one) for one in user.accounts],
        "party": user.party, "language": user.language, "active": user.active, "created": user.created,
    }  # fmt: skip


def _told(common: Common, user: "User", en: str, ko: str) -> None:
    common.done(_line(user), f"{user.id} {en}", f"{user.id}: {ko}")


def _accounts(given: list[str] | None) -> tuple[bytes, ...]:
    return tuple(account_of(one) for one in given or ())


def _password(common: Common, name: str) -> "Secret":
    return secret(common, "STOA_PASSWORD", f"The password of {name}", f"{name}의 비밀번호", new=True)


def _some(option: str, given: list[str] | None, none: bool) -> list[str]:
    """What was given; nothing at all must be said, so that a forgotten word takes nothing away. Raises Usage."""
    if bool(given) == none:
        raise Usage(f"{option}: give it once or more, or --none")
    return given or []


@users.command
def add(
    name: str,
    *,
    role: Role = None,
    account: Account = None,
    party: Annotated[int | None, Parameter(help="His party number, where he is a customer.")] = None,
    common: Common = PLAIN,
) -> None:
    """Add a user of API and pages; his password comes from STOA_PASSWORD, or is asked for."""
    from stoa.node.node import wall_clock

    with _book(common) as book:
        linked, password = _accounts(account), _password(common, name)
        user = book.add(
            name, password, wall_clock(),
            roles=tuple(role or ()), accounts=linked, party=party, language=common.tongue,
        )  # fmt: skip
    _told(common, user, "may sign in.", "로그인할 수 있습니다.")


@users.command(name="list")
def list_users(
    *,
    limit: Annotated[int, Parameter(help="At most so many rows.")] = 100,
    after: Annotated[str, Parameter(help="Only users behind this one.")] = "",
    common: Common = PLAIN,
) -> None:
    """List the users with their roles and accounts, by name."""
    with _book(common) as book:
        lines = [_line(one) for one in book.listing(limit, after)]
    common.rows("users", lines, "user roles accounts party active")


@users.command
def password(name: str, *, common: Common = PLAIN) -> None:
    """Give a user a new password (STOA_PASSWORD, or asked for); ends his sessions."""
    with _book(common) as book:
        book.need(name)
        book.set_password(name, _password(common, name))
        _told(common, book.need(name), "has a new password, and no session.", "비밀번호를 바꾸고 세션을 끝냈습니다.")


@users.command
def roles(name: str, *, role: Role = None, none: Nothing = False, common: Common = PLAIN) -> None:
    """Set the roles of a user, in place of those he has."""
    with _book(common) as book:
        book.set_roles(name, tuple(_some("--role", role, none)))
        _told(common, book.need(name), f"has the roles: {', '.join(role or ())}.", f"역할: {', '.join(role or ())}")


@users.command
def accounts(name: str, *, account: Account = None, none: Nothing = False, common: Common = PLAIN) -> None:
    """Set the accounts that a user acts for, in place of those he has."""
    with _book(common) as book:
        linked = _accounts(_some("--account", account, none))
        book.set_accounts(name, linked)
        _told(common, book.need(name), f"acts for {len(linked)} accounts.", f"계좌 {len(linked)}개를 대리합니다.")


@users.command
def language(
    name: str, reads: Annotated[Language, Parameter(help="What he reads.")], *, common: Common = PLAIN
) -> None:
    """Set the language in which a user is spoken to."""
    with _book(common) as book:
        book.set_language(name, reads)
        _told(common, book.need(name), f"reads {reads}.", f"언어는 {reads}입니다.")


@users.command
def activate(name: str, *, common: Common = PLAIN) -> None:
    """Let a user in again."""
    with _book(common) as book:
        book.set_active(name, True)
        _told(common, book.need(name), "may sign in.", "로그인할 수 있습니다.")


@users.command
def deactivate(name: str, *, common: Common = PLAIN) -> None:
    """Shut a user out at once: his sessions end, his API keys and his approvals count no more."""
    with _book(common) as book:
        book.set_active(name, False)
        _told(common, book.need(name), "is shut out.", "이용을 정지했습니다.")


@users.command
def logout(name: str, *, common: Common = PLAIN) -> None:
    """End all sessions of a user; he may sign in anew."""
    from stoa.custody.sessions import Sessions

    with _book(common) as book:
        user = book.need(name)
        Sessions(book.engine).end_all(name)
    _told(common, user, "is signed out everywhere.", "모든 세션을 끝냈습니다.")


def _key_line(key: "ApiKey") -> dict[str, Any]:
    return {"public": key.public.hex(), "user": key.user, "label": key.label, "created": key.created}


def _public(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Usage(f"{text}: a public key is 66 hexadecimal digits") from None


@api_keys.command(name="list")
def list_keys(name: str, *, common: Common = PLAIN) -> None:
    """List the API keys of a user, the oldest first."""
    with _book(common) as book:
        book.need(name)
        lines = [_key_line(key) for key in book.api_keys(name)]
    common.rows("keys", lines)


@api_keys.command(name="add")
def add_key(
    name: str,
    public: PublicKey,
    *,
    label: Annotated[str, Parameter(help="What it is for.")] = "",
    common: Common = PLAIN,
) -> None:
    """Let requests that this key signs speak for a user. Its secret stays with him."""
    from stoa.node.node import wall_clock

    with _book(common) as book:
        key = book.add_key(name, _public(public), label, wall_clock())
    common.done(_key_line(key), f"The key speaks for {name}.", f"{name}의 API 키를 등록했습니다.")


@api_keys.command(name="remove")
def remove_key(name: str, public: PublicKey, *, common: Common = PLAIN) -> None:
    """Make an API key of a user worthless."""
    with _book(common) as book:
        found = next((key for key in book.api_keys(name) if key.public == _public(public)), None)
        if found is None:
            raise Usage(common.words(f"{name} has no such API key.", f"{name}에게 그런 API 키가 없습니다."))
        book.remove_key(name, found.public)
    common.done(_key_line(found), "The key speaks for nobody.", f"{name}의 API 키를 없앴습니다.")
