"""A capture of the loopback interface: what went over connections to some ports, in order, byte for byte.

Needs root (a raw socket of Linux's packet family). Does not own: what is searched for in it.
"""

import ctypes
import socket
import struct
import threading
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, NamedTuple, Self

ETH_IP: Final = 0x0800
ETH_HEAD: Final = 14
OUTGOING: Final = 4  # PACKET_OUTGOING: on loopback each packet is seen leaving and coming; the first is skipped
SOL_PACKET, PACKET_STATISTICS, SO_ATTACH_FILTER, SO_RCVBUFFORCE = 263, 6, 26, 33
BUFFER_BYTES: Final = 256 * 1024 * 1024
MOST_PACKET: Final = 1 << 17  # loopback carries segments of up to 64 KiB
SYN: Final = 2
GLANCE: Final = 0.2
HANDSHAKE, DATA = 22, 23
RECORDS: Final = frozenset({20, 21, HANDSHAKE, DATA})  # of TLS: change of cipher, alert, handshake, application data
TLS13: Final = b"\x00\x2b\x00\x02\x03\x04"  # the extension by which a server says that it speaks 1.3


class Flow(NamedTuple):
    """One direction of one connection: its ports."""

    source: int
    target: int


class Capture:
    """All that goes to and from the ports while the context lasts. Raises PermissionError where that is not allowed."""

    def __init__(self, ports: Iterable[int]) -> None:
        self._ports = frozenset(ports)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        _filter(self._socket, sorted(self._ports))
        self._socket.bind(("lo", ETH_IP))
        self._socket.settimeout(GLANCE)
        self._segments: dict[Flow, list[tuple[int, bytes]]] = defaultdict(list)  # a new connection starts anew
        self._closed: list[tuple[Flow, bytes]] = []
        self._until = 0.0  # when it ends, by the monotonic clock; 0: nobody has said yet
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.dropped = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._until = time.monotonic() + GLANCE  # what is on its way still comes in
        self._thread.join()
        self.dropped = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self._socket.close()

    def streams(self) -> Iterator[tuple[Flow, bytes]]:
        """Each direction of each connection, with what it carried."""
        yield from self._closed
        for flow, segments in self._segments.items():
            yield flow, _joined(segments)

    def _run(self) -> None:
        while not self._until or time.monotonic() < self._until:
            try:
                packet, address = self._socket.recvfrom(MOST_PACKET)
            except TimeoutError:
                continue
            if address[2] != OUTGOING:
                self._take(packet[ETH_HEAD:])

    def _take(self, packet: bytes) -> None:
        head = (packet[0] & 15) * 4
        length = int.from_bytes(packet[2:4]) or len(packet)
        source, target, sequence = struct.unpack_from("!HHI", packet, head)
        flow, flags = Flow(source, target), packet[head + 13]
        if flags & SYN:
            if flow in self._segments:
                self._closed.append((flow, _joined(self._segments.pop(flow))))
            self._segments[flow].append((sequence + 1, b""))
        data = packet[head + (packet[head + 12] >> 4) * 4 : length]
        if data:
            self._segments[flow].append((sequence, data))


def _filter(raw: socket.socket, ports: list[int]) -> None:
    """Let the kernel pass on TCP to or from these ports alone: a loaded machine's other talk would drown them."""
    drop = 4 + 2 * len(ports)  # where the instruction is that drops; the one behind it takes
    code = [(0x30, 0, 0, ETH_HEAD + 9), (0x15, 0, drop - 2, socket.IPPROTO_TCP)]
    for at in (ETH_HEAD + 20, ETH_HEAD + 22):
        code.append((0x28, 0, 0, at))
        for port in ports:
            code.append((0x15, drop - len(code), 0, port))
    code += [(0x06, 0, 0, 0), (0x06, 0, 0, MOST_PACKET)]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    raw.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(code), ctypes.addressof(packed)))


def _joined(segments: list[tuple[int, bytes]]) -> bytes:
    """In order of their numbers, from the first; what was sent twice, once."""
    first, found = segments[0][0], bytearray()
    for sequence, data in sorted(segments, key=lambda one: (one[0] - first) & 0xFFFFFFFF):
        at = (sequence - first) & 0xFFFFFFFF
        found += data[max(0, len(found) - at) :]
    return bytes(found)


def records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record of TLS. Raises ValueError where the stream holds anything else."""
    at = 0
    while at + 5 <= len(stream):
        kind, version, length = struct.unpack_from("!BHH", stream, at)
        if kind not in RECORDS or version >> 8 != 3:
            raise ValueError(f"no record of TLS at byte {at}: {stream[at : at + 60]!r}")
        yield kind, stream[at + 5 : at + 5 + length]
        at += 5 + length


def written(secret: bytes) -> Iterator[bytes]:
    """The ways in which bytes may stand in a text: as they are, in hex, in base64 wherever they begin."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for lead in range(3):
        whole = b64encode(bytes(lead) + secret)
        first, last = -(-lead * 8 // 6), (lead + len(secret)) * 8 // 6  # signs that no neighbour has a part in
        yield whole[first:last]
