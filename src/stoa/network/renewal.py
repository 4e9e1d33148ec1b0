"""New certificates for a member, and members shut out, while the network runs.

A renewal goes in steps, so that nobody is refused who should not be: the new number is let in beside the old one; the
member's files are replaced; the old number is shut out. Between the steps every server reads its lists again. A server
then lets go whoever came in with the old number; that validator comes back with its new file.
"""

from collections.abc import Callable
from pathlib import Path

from stoa.custody.secret import Secret
from stoa.network import folders
from stoa.network.certificates import Authority
from stoa.network.founding import certify, write_access
from stoa.network.plan import Plan
from stoa.network.register import Register

Reload = Callable[[], None]


def rotate(plan: Plan, folder: Path, code: str, passphrase: Secret, reload: Reload) -> int:
    """Give a member new certificates under the next number, and shut out the old. Returns the number."""
    member = plan.member(code)
    authority = Authority(folder / folders.AUTHORITY, passphrase)
    register = Register(folder / folders.AUTHORITY)
    number = register.next_number(code)
    issued = certify(plan, member, folder, authority, passphrase, number)
    register.enter(issued)
    write_access(plan, folder, register)
    reload()
    register.shut_out(code, "replaced", number)
    write_access(plan, folder, register)
    reload()
    return number


def revoke(plan: Plan, folder: Path, code: str, reload: Reload) -> int:
    """Shut out a member's validator and server. Returns how many certificates were in use."""
    plan.member(code)
    register = Register(folder / folders.AUTHORITY)
    count = register.shut_out(code, "revoked", register.next_number(code))
    write_access(plan, folder, register)
    reload()
    return count
