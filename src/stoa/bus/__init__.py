"""The bus: one NATS connection for a process, behind a small synchronous facade.

Owns the connection's thread, its reconnecting, its bounds and its counters. Promises what core NATS promises: at most
once, unordered between senders; what it drops it counts. Knows nothing of batches, votes or what else goes over it.
"""
