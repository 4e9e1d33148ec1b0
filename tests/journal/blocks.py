"""Small real blocks for the journal's tests: signed batches, votes, certificates, checkpoints of three validators."""

from hashlib import sha256
from random import Random

from stoa.journal import Authority
from stoa.kernel import merkle, signing
from stoa.kernel.hashing import tagged
from stoa.wire.batch import BatchBody, sign_batch
from stoa.wire.block import Block, Header, genesis_header
from stoa.wire.vote import Certificate, Checkpoint, Vote, checkpoint_digest, majority, sign_vote

CHAIN = "harbour"
VALIDATORS = ("BANK", "BROKER", "REGISTRAR")
SECRETS = {name: sha256(name.encode()).digest() for name in VALIDATORS}
KEYS = {name: signing.public_key(secret) for name, secret in SECRETS.items()}
AUTHORITY = Authority(KEYS, KEYS, majority(len(VALIDATORS)))
GENESIS = b"the genesis document of the tests"
GENESIS_HEADER = genesis_header(CHAIN, 1_000, tagged("stoa.genesis", GENESIS), sha256(b"").digest())


def next_block(previous: Header, random: Random, transactions: int = 2, size: int = 40) -> Block:
    """A block after the given header; only its envelopes and receipts are noise."""
    envelopes = tuple(random.randbytes(random.randint(1, size)) for _ in range(transactions))
    receipts = tuple(random.randbytes(random.randint(1, size)) for _ in range(transactions))
    producer = VALIDATORS[previous.height % len(VALIDATORS)]
    body = BatchBody(CHAIN, producer, previous.height + 1, previous.time + 5, envelopes)
    header = Header(
        chain=CHAIN,
        height=previous.height + 1,
        previous=previous.hash(),
        time=body.time,
        producer=producer,
        number=body.number,
        batch_time=body.time,
        count=transactions,
        envelopes_root=merkle.root(envelopes),
        receipts_root=merkle.root(receipts),
        writes_hash=random.randbytes(32),
    )
    return Block(header, sign_batch(body, SECRETS[producer]).signature, envelopes, receipts)


def blocks(count: int, seed: int = 0, size: int = 40) -> list[Block]:
    """The first blocks of one chain."""
    random, made, head = Random(seed), list[Block](), GENESIS_HEADER
    for height in range(1, count + 1):
        made.append(next_block(head, random, (height + 1) % 4, size))
        head = made[-1].header
    return made


def votes_for(header: Header, validators: tuple[str, ...] = VALIDATORS[:1]) -> tuple[Vote, ...]:
    """These validators' votes for the block."""
    return tuple(sign_vote(CHAIN, header.height, header.hash(), name, SECRETS[name]) for name in validators)


def certificate_for(header: Header, validators: tuple[str, ...] = VALIDATORS[:2]) -> Certificate:
    """A certificate by these validators."""
    return Certificate(header.height, header.hash(), votes_for(header, validators))


def checkpoint_for(header: Header, size: int = 3) -> Checkpoint:
    """A checkpoint after the block, signed by all."""
    root = sha256(header.hash()).digest()
    digest = checkpoint_digest(CHAIN, header.height, header.hash(), root, size)
    votes = tuple(Vote(header.height, header.hash(), name, signing.sign(SECRETS[name], digest)) for name in VALIDATORS)
    return Checkpoint(header.height, header.hash(), root, size, votes)
