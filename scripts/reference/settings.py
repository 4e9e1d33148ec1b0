"""The page of settings: the file of a house, the environment, and the signing policy."""

import re
from typing import Any

import msgspec

from scripts.reference.markdown import page, said, table
from stoa.custody import policy
from stoa.node import config


def settings() -> str:
    """Every setting with its meaning, as the file that ``stoa init`` writes says it."""
    own = tuple(field for field in _fields(config.Config) if field.name != "network")
    rows = _explained(own, config.TEMPLATE)
    environment = [
        (f"`{config.FOLDER_VARIABLE}`", "the ledger's folder, where no `--folder` is given"),
        (f"`{config.PASSPHRASE_VARIABLE}`", "the keystore's passphrase, for programs; people are asked for it"),
        ("`STOA_NEW_PASSPHRASE`", "the new one, for `stoa keys rotate`"),
        ("`STOA_PASSWORD`", "a user's password, for `stoa users add` and `stoa users password`"),
    ]
    return page(
        "Settings",
        f"One file, `{config.FILE}`, in the ledger's folder. `stoa init` writes it with all of this as comments. "
        "A changed setting counts from the next start. A field that is not listed is refused.",
        table(("setting", "default", "meaning"), rows),
        "## The network\n\n" + said((config.Network.__doc__ or "").partition("``NETWORK")[0]),
        table(("setting", "default", "meaning"), _explained(_fields(config.Network), config.NETWORK_TEMPLATE)),
        "## Environment\n\n" + table(("variable", "meaning"), environment),
        "## Signing policy\n\n" + said(policy.__doc__.partition("Owns:")[0]),
        *(_struct(kind) for kind in (policy.Policy, policy.Grant, policy.Limit)),
    )


def _explained(fields: tuple[Any, ...], template: str) -> list[tuple[str, str, str]]:
    notes = dict(re.findall(r"^(\w+) = .*?# (.*)$", template, re.MULTILINE))
    return [(f"`{field.name}`", _default(field), notes.get(field.name, "")) for field in fields]


def _struct(kind: type[Any]) -> str:
    rows = [(f"`{field.name}`", _default(field)) for field in _fields(kind)]
    return f"### {kind.__name__}\n\n{said(kind.__doc__)}\n\n" + table(("field", "default"), rows)


def _fields(kind: type[Any]) -> tuple[Any, ...]:
    return msgspec.structs.fields(kind)


def _default(field: Any) -> str:
    if field.required:
        return "must be given"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "none" if default in (None, (), {}) else f"`{default}`"
