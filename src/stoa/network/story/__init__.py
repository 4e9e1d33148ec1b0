"""The demonstration's story on a network: five institutions keep its ledger, each with a validator and a server.

Owns the ground (``ground``) that the story of ``stoa.demo`` is played on unchanged, the validators that stand on it
besides the house that acts (``validator``), and the failure in the middle (``outage``). Promises: everything is real
but the time. The ledger's clock and the time of the log's entries are one function of the world's time, kept in one
file that every validator reads (``stoa.demo.clock``). Does not own: what is told, nor what a transaction means.
"""
