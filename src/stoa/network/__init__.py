"""The processes of a network: an ordering server and a validator for each institution, and what they need to start.

Owns: the plan (a file that people write), founding (keys, genesis, certificates, configuration, each institution in a
folder of its own), the network's authority and its register of certificates, processes by their pid files, network
namespaces as hosts, and how each member is. Promises: an institution's folder holds no secret of another; no process
is touched that was not started here.
Does not own: what servers and validators say to each other (``bus``, ``node``), nor anything on the ledger.
"""
