"""Identity: institutions and their roles, parties, accounts and their keys.

Owns: who exists, and which keys speak for an account. Does not own: personal data (it stays with the institution that
knows its customer), what has been attested about a party and what that permits (``compliance``), what an account holds
(``assets``).

Who signs: the registrar admits institutions, changes their roles, suspends and reinstates them, but there is always an
active registrar left; an institution that keeps accounts registers parties and opens accounts
for them; the account's own keys rotate its keys; its custodian, the registrar or the supervisor freeze it.
Each verb refuses in the order of its ``rejections``: authority, then existence, then state, then limits.
"""
