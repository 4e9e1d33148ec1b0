"""Service units for an institution on a host of its own: systemd starts, restarts and bounds its two programs."""

from typing import Final

from stoa.network import folders
from stoa.network.plan import Member, Plan

RELOAD: Final = "ExecReload=/bin/kill -HUP $MAINPID"
NO_RELOAD: Final = "# it keeps no log: restart it to have its lists read again; a reload would cut it off from the log"
SERVER: Final = """\
[Unit]
Description=Stoa: ordering server of {code} in {chain}
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory={folder}
ExecStart={programs}/nats-server -c {folder}/{conf}
{reload}
User={user}
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
{bounds}
[Install]
WantedBy=multi-user.target
"""

VALIDATOR: Final = """\
[Unit]
Description=Stoa: validator and gateway of {code} in {chain}
Wants={server}
After={server}

[Service]
WorkingDirectory={folder}
# one line, readable by root alone: STOA_PASSPHRASE=...
EnvironmentFile=/etc/stoa/{code}.env
ExecStart={programs}/stoa up --folder {folder}
User={user}
Restart=on-failure
RestartSec=5
TimeoutStopSec=60
{bounds}
[Install]
WantedBy=multi-user.target
"""

BOUNDS: Final = """\
LimitNOFILE=65536
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths={folder}
"""


def units(plan: Plan, member: Member, at: str, programs: str, user: str) -> dict[str, str]:
    """The unit files by name, for a member whose folder is at this place on its host."""
    folder, prefix = f"{at.rstrip('/')}/{member.code}", f"stoa-{member.code.lower()}"
    server = f"{prefix}-server.service"
    words = {
        "code": member.code, "chain": plan.chain, "folder": folder, "programs": programs.rstrip("/"), "user": user,
        "conf": folders.SERVER_CONF, "server": server, "bounds": BOUNDS.format(folder=folder),
        "reload": RELOAD if member.log else NO_RELOAD,
    }  # fmt: skip
    return {server: SERVER.format_map(words), f"{prefix}-validator.service": VALIDATOR.format_map(words)}
