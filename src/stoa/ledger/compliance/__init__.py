"""Compliance: claims about parties, rules as dated data, counters of holders, and the one evaluation of a movement.

Owns: what has been attested about whom, by whom and until when; which issuers of attestations and which rules a
security trusts; how many persons hold what, in all, by country and by investor category. Does not own: units
(``assets``), suspicion (that is for people and statistics, outside the ledger).

Who signs: identity providers attest and revoke under their own name; the institutions that a profile names as its
owners adopt its rules and grant exemptions, all of them together.

A movement is refused, gravest first, for: a scope without a profile; the receiver not identified, his claim revoked or
expired; his country not open; then each rule in force that fails, in the order of the profile. A rule that is not yet
or no longer in force, or that does not name the phase of the movement, says nothing. An unknown country fails closed.
"""
