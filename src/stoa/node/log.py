"""The node's log: structured lines through the standard library's logging, silent until an application asks for it."""

import logging
from typing import Any

import structlog

from stoa.node.commit import FinalBlock

LOG: Any = structlog.wrap_logger(
    logging.getLogger("stoa.node"),
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def log_block(final: FinalBlock, interval: float, seconds: dict[str, float]) -> None:
    """One line for a final block: what was in it, who made it and voted for it, the time since the block before it
    became final here, and the milliseconds of each stage."""
    header, certificate = final.block.header, final.certificate
    LOG.info(
        "block",
        height=header.height,
        epoch=certificate.epoch,
        producer=header.producer,
        batch=header.number,
        votes=[vote.validator for vote in certificate.votes],
        interval_ms=round(interval * 1_000, 2),
        transactions=header.count,
        refused=sum(receipt.rejection is not None for receipt in final.receipts),
        due=len(final.receipts) - header.count,
        **{f"{stage}_ms": round(spent * 1_000, 2) for stage, spent in seconds.items()},
    )


def log_to_stderr() -> None:
    """Write the node's lines to standard error, as a service wants them. Does nothing to other logs."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("stoa")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
