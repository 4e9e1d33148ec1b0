"""What an institution keeps to itself: signing keys, who may have them used, its users, and personal data.

Owns: the keystore, the signing policy with dual control and its audit log, the users of the doors with their
sessions and API keys, and the vault of personal data: in the institution's own files, never on the ledger.

Promises: nothing secret is written unencrypted, printed or put into an error; no signature is given out
before the audit log has it on disk; a refusal is a value with all its reasons. Times are passed in, in ms.
Does not own: what an instruction means (``ledger``), HTTP (``api``, ``web``), how one submits (``client``).
"""
