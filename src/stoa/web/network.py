"""The network: how this validator stands among the others, who voted for the latest blocks, what members have proposed,
what went wrong.

Says in words what ``api.network`` says in figures; the page renews itself by blocks and by time, since a network that
stands still makes no blocks.
"""

from collections.abc import Iterator
from typing import Final

from litestar import Response, get

from stoa.api.network import NetworkView, evidence_view, network_view
from stoa.api.viewer import House
from stoa.node.health import HEARD_SECONDS
from stoa.readmodel.queries.proposals import proposals
from stoa.web.figures import units
from stoa.web.language import Words
from stoa.web.page import Paper

SHOWN: Final = 12  # proposals, pieces of evidence, and skipped batches
BROKEN_LOGS: Final = {"gone": "log_condition.gone", "replaced": "log_condition.replaced"}  # conditions with words


@get("/network", sync_to_thread=True)
def network_page(page: Paper, services: House) -> Response[str]:
    """Members, votes, proposals, alarms and evidence."""
    network = network_view(services)
    with services.views.read() as views:
        proposed = proposals(views, limit=SHOWN).items
    return page.render(
        "network.html",
        network=network,
        sentences=tuple(sentences(network, page.words)),
        proposals=proposed,
        against=evidence_view(services, SHOWN),
        chain=services.node.chain,
        now=services.clock(),
    )


def sentences(network: NetworkView, words: Words) -> Iterator[str]:
    """Why the validator cannot be relied on for finality just now; none if it can."""
    present = sum(one.present for one in network.members)
    if present < network.quorum:
        yield words(
            "network.too_few",
            present=units(present, words.locale),
            quorum=units(network.quorum, words.locale),
            seconds=units(int(HEARD_SECONDS), words.locale),
            missing=", ".join(network.missing),
        )
    if network.away:
        yield words("network.away")
    if network.log.kind in BROKEN_LOGS:
        yield words(BROKEN_LOGS[network.log.kind])
    for alarm in network.alarms:
        yield words.named("alarm", alarm.kind)
