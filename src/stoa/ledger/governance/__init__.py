"""Governance: the members that run the ledger, its parameters, and the votes that change them.

Owns: who validates, with which voting key, in which blocks; the governed numbers and their bounds; proposals and votes.
Does not own: institutions, their roles and standing (``identity``), rule packs and who obeys them (``compliance``), or
what makes a block final (``node``).

Who signs: a validator institution, with its operating account, proposes one change (set parameters; admit, remove, or
give another voting key to a validator; adopt or retire a rule pack) and thereby votes for it; each validator
institution votes once on a proposal. No vote is taken back. A suspended institution may neither propose nor vote here;
as long as it is a member its node's votes on blocks count all the same, and so does what it voted before. Suspending
can delay a change and never make one.

When a change takes effect: in the block of the stated height, before everything else in that block, by itself.
Proposals for one height are decided in the order in which they were made, each after the ones before it. A proposal
passes if, there and then,

- its time is not over: the block's time is before ``expires``, the first millisecond that is too late;
- at least a quorum of the members votes for it. Members and quorum are those in force; the vote of who has ceased to
  be a member does not count. Majority is more than half of the members, Byzantine is more than two thirds;
- the change is still possible, by the same rules as when it was proposed.

Otherwise it lapses, with the reasons, and nothing changes. It lapses also in the first block at or after ``expires``.
An idle network makes no blocks, so a height waits for work; a time does not.

Members change at block boundaries only. The block of height h is produced, voted on and counted by the members as they
were after block h - 1: a change of height h governs from block h + 1 on. ``members.members_at`` tells who they were.

Refusals of a proposal, in order: who asks (NotValidator, NotAuthorised), what is asked (the reasons of its kind, see
``changes``), when (HeightNotAhead, VotingPeriodInvalid), how many are open (TooManyProposals,
TooManyPacksAtHeight). Of a vote: existence
(ProposalUnknown), who asks, state (ProposalClosed, VotingOver), repetition (AlreadyVoted).
"""
