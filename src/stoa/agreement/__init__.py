"""Agreement: when a validator executes, keeps, votes, finalises, takes back, asks its peers. Events in, effects out.

Owns one validator's part in making blocks final: which batch is executed next, what is voted for, when a quorum has
agreed, what to do when the log and a certificate differ, when a peer is ahead, when the log must be opened anew.
Promises, as long as fewer than a quorum lie and disks keep what was synced:

- no two different blocks become final at one height, whatever the log does;
- a vote is sent only when the block and the vote are on disk, and at one height at most one in an epoch;
- what is final is never taken back; what is not final may be.

Does no input or output, reads no clock, draws no lots: time comes with the tick, so that one seed replays a whole
network. Does not own: what a batch means (``ledger``), the order (``ordering``), the record (``journal``), the wire
between validators (``peers``). The node drives it (``node/commit.py``); the simulation in the tests drives five.
"""
