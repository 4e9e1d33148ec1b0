"""The figures for Prometheus: of the node, of the network, of the doors where there are any.

They are read when they are asked for; the loop that makes blocks counts nothing for them.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from stoa.api.feed import Feed
from stoa.api.projector import Projector
from stoa.node.details import ALARMS
from stoa.node.health import Network, missing
from stoa.node.node import Node
from stoa.ordering.condition import Kind


class Refused:
    """How many problem documents were given out, by name and status. Names are of a closed set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, int]] = Counter()

    def count(self, name: str, status: int) -> None:
        """One more."""
        with self._lock:
            self._counted[name, status] += 1

    def counted(self) -> dict[tuple[str, int], int]:
        """So far."""
        with self._lock:
            return dict(self._counted)


class NodeFigures:
    """A collector of what every validator has."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        node = self._node
        health = node.health()
        yield _gauge("stoa_height", "Height of the last final block", health.height)
        yield _gauge("stoa_waiting_transactions", "Transactions accepted and not yet in a block", health.waiting)
        yield _gauge("stoa_failed", "1 when the node has stopped", bool(health.failure))
        gate = CounterMetricFamily("stoa_submissions", "What became of submissions at the gate", labels=["outcome"])
        yield _filled(gate, node.gate.counted.copy())
        stages = CounterMetricFamily(
            "stoa_stage_seconds", "Time spent in each stage of making blocks", labels=["stage"]
        )
        yield _filled(stages, node.seconds())
        yield CounterMetricFamily("stoa_skipped_batches", "Batches that made no block", value=float(node.skips))
        yield from _kept(node)
        network = node.network()
        yield from _members(network)
        yield from _troubles(network)
        yield from _bus(network)


def _kept(node: Node) -> Iterator[Metric]:
    yield CounterMetricFamily("stoa_damage_found", "Damaged places of the journal", value=float(node.mending.found))
    yield CounterMetricFamily("stoa_damage_mended", "Blocks put back from others", value=float(node.mending.mended))
    yield CounterMetricFamily("stoa_scrub_rounds", "Times the whole journal was read", value=float(node.mending.rounds))
    yield CounterMetricFamily("stoa_healed", "Times the state was built again", value=float(node.healed))
    handing = node.handing
    yield CounterMetricFamily("stoa_handed_over", "Transactions handed over to who gathers", value=float(handing.count))
    yield CounterMetricFamily("stoa_taken_back", "Of these, taken back for an own batch", value=float(handing.returned))
    yield _gauge("stoa_dropped_bodies", "Blocks whose body others keep", node.keeping.dropped)


def _members(network: Network) -> Iterator[Metric]:
    yield _gauge("stoa_members", "Validators that may vote", len(network.members))
    yield _gauge("stoa_seat", "1 while this validator is one of them", network.validator in network.members)
    yield _gauge("stoa_missing_members", "Validators that were not heard lately", len(missing(network)))
    yield _gauge("stoa_quorum", "Equal votes that make a block final", network.quorum)
    yield _gauge("stoa_epoch", "Epoch of the ordering log", network.epoch)
    heights = GaugeMetricFamily("stoa_peer_height", "Height that a peer told last", labels=["peer"])
    yield _filled(heights, {peer.validator: peer.height for peer in network.peers})
    ages = GaugeMetricFamily("stoa_peer_age_seconds", "Time since a peer was heard last", labels=["peer"])
    yield _filled(ages, {peer.validator: peer.seconds for peer in network.peers})
    batches = CounterMetricFamily(
        "stoa_produced_batches", "Number of each producer's last batch in a final block", labels=["producer"]
    )
    yield _filled(batches, dict(network.produced))


def _troubles(network: Network) -> Iterator[Metric]:
    yield _gauge("stoa_away", "1 while this validator has left the quorum to mend its state", network.away)
    alarms = GaugeMetricFamily("stoa_alarm", "1 while an alarm of the kind stands", labels=["kind"])
    yield _filled(alarms, dict.fromkeys(ALARMS, 0) | dict.fromkeys(network.alarms, 1))
    yield CounterMetricFamily("stoa_evidence", "Acts of others against the rules", value=float(network.evidence))
    yield CounterMetricFamily("stoa_dropped_words", "What peers told and found no room", value=float(network.dropped))
    yield _gauge("stoa_batches_in_flight", "Own batches that are published and not final", network.in_flight)
    yield _gauge("stoa_unread_batches", "Batches of the log that wait to be executed", network.unread)
    conditions = GaugeMetricFamily("stoa_log_condition", "1 for the condition that the log is in", labels=["condition"])
    yield _filled(conditions, {kind: int(network.log.kind is kind) for kind in Kind})


def _bus(network: Network) -> Iterator[Metric]:
    counts = network.bus
    if counts is None:
        return
    yield _gauge("stoa_bus_connected", "1 while there is a connection to an ordering server", counts.connected)
    again = max(0, counts.connections - 1)
    yield CounterMetricFamily("stoa_bus_reconnections", "Connections made again", value=float(again))
    yield CounterMetricFamily("stoa_bus_sent", "Messages sent", value=float(counts.sent))
    yield CounterMetricFamily("stoa_bus_received", "Messages received", value=float(counts.received))
    yield CounterMetricFamily("stoa_bus_dropped", "Messages that could not be sent", value=float(counts.dropped))
    yield CounterMetricFamily(
        "stoa_bus_overflowed", "Messages that came faster than they were handled", value=float(counts.overflowed)
    )
    yield CounterMetricFamily("stoa_bus_failed", "Messages whose handling failed", value=float(counts.failed))


class DoorFigures:
    """A collector of what a gateway has beside its validator: views, followers, refusals."""

    def __init__(self, projector: Projector, refused: Refused, feed: Feed) -> None:
        self._projector, self._refused, self._feed = projector, refused, feed

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        yield _gauge("stoa_views_height", "Height of the last block that the views show", self._projector.height)
        yield _gauge("stoa_subscribers", "Subscribers of the event feed", self._feed.subscribers)
        problems = CounterMetricFamily("stoa_problems", "Problem documents given out", labels=["name", "status"])
        for (name, status), count in sorted(self._refused.counted().items()):
            problems.add_metric([name, str(status)], float(count))
        yield problems


def registry(*figures: NodeFigures | DoorFigures) -> CollectorRegistry:
    """The metrics of this door, apart from those of any other in the process."""
    made = CollectorRegistry(auto_describe=False)
    for one in figures:
        made.register(one)
    return made


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _filled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric([label], float(value))
    return family
