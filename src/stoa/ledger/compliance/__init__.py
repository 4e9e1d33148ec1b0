"""Compliance: claims about parties, rules as dated data, counters of holders, and the one evaluation of a movement.

Owns: what has been attested about whom, by whom and until when; which issuers of attestations and which rules a
security trusts; rule packs in their versions, and which of them a security obeys besides its own rules; how many
persons hold what, in all, by country and by investor category. Does not own: units (``assets``), the vote that changes
a pack (``governance``), suspicion (that is for people and statistics, outside the ledger).

Who signs: identity providers attest and revoke under their own name; the institutions that a profile names as its
owners adopt its rules, name its packs and grant exemptions, all of them together.

A movement is refused, gravest first, for: a scope without a profile; the receiver not identified, his claim revoked or
expired; his country not open; then each rule in force that fails: the scope's own in the order of the profile, then
those of the packs that it names, pack by pack in the order of naming. A rule of a pack is asked as if it were the
scope's own, with the scope's counters and trusted issuers; the version counts that is in force at the moment. A rule
that is not yet or no longer in force, or that does not name the phase of the movement, says nothing. An unknown country
fails closed.
"""
