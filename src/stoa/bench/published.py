"""What others published about their systems, with where: beside ours to be read, not to be ranked by.

Hardware, workload and what counts as final differ in each; nothing here was measured again.
"""

from typing import Final

import msgspec


class Published(msgspec.Struct, frozen=True):
    """Somebody's figure as he published it. ``per_second`` in transactions; what was not said is empty."""

    system: str
    en: str
    ko: str
    per_second: str
    latency: str
    nodes: str
    source: str
    address: str = ""


REFERENCE: Final = Published(
    "Proof of concept of 2016",
    "an exchange industry's over-the-counter market: the plan that is repeated here",
    "2016년 장외시장 블록체인 개념검증: 이 시험 계획의 원본",
    "1,000", "a block within 1 s", "5 servers", "its test plan",
)  # fmt: skip

OTHERS: Final = (
    Published(
        "Hyperledger Fabric",
        "a currency in the manner of Bitcoin, in certain deployments",
        "비트코인 방식의 화폐, 특정 구성",
        "more than 3,500", "below 1 s", "scaling to over 100 peers",
        "Androulaki et al., EuroSys 2018, abstract", "https://arxiv.org/abs/1801.10228",
    ),
    Published(
        "DTCC study",
        "capture, netting and settlement of US equities, on two platforms of others, in a cloud, for five hours",
        "미국 주식의 체결 수집·차감·결제, 두 상용 플랫폼, 클라우드, 5시간",
        "6,300 trades", "", "more than 170 nodes",
        "DTCC, October 2018, as reported",
        "https://finextra.com/newsarticle/32789/dtcc-study-shows-dlt-can-support-trading-volumes-in-us-equity-markets",
    ),
    Published(
        "R3 Corda",
        "one node in its maker's laboratory, before release, the better of two scenarios; 170 in the other",
        "제조사 실험실의 노드 1대, 출시 전, 두 시나리오 중 높은 값(다른 하나는 170)",
        "1,678", "", "each node",
        "R3, February 2018", "https://corda.net/blog/transactions-per-second-tps/",
    ),
)  # fmt: skip
