"""Governance: the members that run the ledger, its parameters, and the votes that change them.

Owns: who validates, with which key; the governed numbers. Does not own: roles of institutions (``identity``).
"""
