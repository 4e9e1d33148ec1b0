"""The named bound of everything that can grow. A bound that is a market's choice is a governed parameter instead."""

from typing import Final

MAX_UNITS: Final = 2**62  # any holding, supply, amount or pool, in the smallest unit of its asset
MAX_TIME: Final = 2**53  # milliseconds since 1970-01-01T00:00Z; exact in every language that reads our JSON
MAX_SEQUENCE: Final = 2**53
MAX_LANE: Final = 65_535  # lanes of one account, numbered from 0
MAX_DECIMALS: Final = 18

MAX_ENVELOPE_BYTES: Final = 65_536
MAX_INSTRUCTIONS: Final = 64
MAX_SIGNATURES: Final = 16
MAX_KEYS: Final = 16  # keys of one account
MAX_VALIDITY_MS: Final = 24 * 3_600_000  # how far ahead of the block's time `valid_until` may lie

MAX_BATCH_TRANSACTIONS: Final = 4_096
MAX_BATCH_BYTES: Final = 8 * 1024 * 1024  # a message takes four times as much: the block with its receipts
MAX_BULK: Final = 1_000  # envelopes in one message of the bulk door
MAX_BATCH_LINGER_MS: Final = 1_000
MAX_VALIDATORS: Final = 64
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024  # of blocks in one answer to a peer, beyond the first

MAX_CODE: Final = 24  # characters of an asset or institution code
MAX_NAME: Final = 120  # characters of a display name
MAX_TEXT: Final = 1_000  # characters of a reason or statement
MAX_REASONS: Final = 16  # rejections that one event keeps, the gravest first
MAX_TOPIC: Final = 32
MAX_CLASSES: Final = 16
MAX_LEGS: Final = 32
MAX_LOT_PICKS: Final = 64
MAX_LOTS: Final = 1_024  # lots that one holding spans; beyond it neighbours are joined
MAX_HOLDS: Final = 256  # open holds on one holding
MAX_ASSETS_OF_ACCOUNT: Final = 1_024  # lines of one account, so that a recovery is one bounded act
MAX_RULES: Final = 128
MAX_PACKS: Final = 512  # codes of rule packs that there ever were, retired ones among them
MAX_PACK_RULES: Final = 64  # rules of one pack
MAX_PACKS_OF_SCOPE: Final = 8
MAX_CONDITION_DEPTH: Final = 8
MAX_CONDITION_ITEMS: Final = 64
MAX_TRUSTED: Final = 64
MAX_COUNTRIES: Final = 250
MAX_TIERS: Final = 16
MAX_DUE_STEPS: Final = 2_048  # pieces of due work done in one block
