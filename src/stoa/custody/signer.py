"""The signer: an authenticated intent in, a signed envelope or the reasons out. Who signs for a browser user?

One order for everything: decide by policy, sign, write the audit record to disk, and only then give the
signature out. So nothing is out that is not on record, and limits and approvals survive a restart.

Does not own: authentication (``users``, ``sessions``, ``requests``), submission, or decoding of bodies: it
takes its caller's word that an intent's ``summaries`` describe its ``body``.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from stoa.custody import refusals as why
from stoa.custody.acts import Act, Outcome, Pending, Refused, Signed
from stoa.custody.audit import AuditLog, Record
from stoa.custody.book import MAX_PENDING, Awaiting, Book, Intent
from stoa.custody.keystore import Keystore
from stoa.custody.policy import Actor, Decision, Policy, Request, refusals
from stoa.custody.refusals import Refusal
from stoa.kernel.time import SECOND
from stoa.wire.envelope import transaction_id


class Signer:
    """Signs by policy. ``actors`` tells a user's present roles and accounts, or None when he may not act.

    Holds the audit log's directory until ``close``: opening raises Busy or AuditBroken.
    """

    def __init__(self, keystore: Keystore, policy: Policy, audit: Path, actors: Callable[[str], Actor | None]) -> None:
        self._keystore, self._policy, self._actors = keystore, policy, actors
        self._lock = threading.Lock()
        self._book = Book()
        self._audit = AuditLog(audit, self._book.apply)

    def close(self) -> None:
        """Let go of the audit log; nothing is signed any more."""
        self._audit.close()

    @property
    def head(self) -> tuple[int, bytes]:
        """The audit log's length and last hash."""
        return self._audit.head

    def authorise(self, intent: Intent, user: str, now: int) -> Outcome:
        """Sign the intent for the user, keep it for approval, or say why not.

        Asked again by the same user for what was signed already, it signs again and counts nothing twice.
        """
        act = Act(transaction_id(intent.body), intent, user, self._audit.clock(now))
        with self._lock:
            self._expire(act.now)
            if act.transaction in self._book.pending:
                return self._waiting(self._book.pending[act.transaction])
            if self._book.signer_of(act.transaction) == user and self._actors(user) is not None:
                return self._sign(act, "", "repeated")
            decision = self._decide(intent, user, act.now)
            if decision.grant is None:
                return self._refuse(act, user, decision.refusals)
            if decision.grant.approvals == 0:
                return self._sign(act, decision.grant.id, "signed")
            if len(self._book.pending) >= MAX_PENDING:
                return self._refuse(act, user, (why.TooManyPending(MAX_PENDING),))
            self._audit.append(act.proposed(decision.grant.id))
            return self._waiting(self._book.pending[act.transaction])

    def approve(self, transaction: bytes, user: str, now: int) -> Outcome:
        """Give another user's consent; the last one needed has the intent judged once more, and signed."""
        now = self._audit.clock(now)
        with self._lock:
            self._expire(now)
            waiting = self._book.pending.get(transaction)
            if waiting is None:
                return self._nothing_pending(transaction, user, now)
            act = Act(transaction, waiting.intent, waiting.user, now)
            reasons = self._may_not_approve(waiting, user)
            if reasons:
                return self._refuse(act, user, reasons)
            self._audit.append(act.record("approved", user, grant=waiting.grant))
            return self._conclude(self._book.pending[transaction], act)

    def decline(self, transaction: bytes, user: str, now: int) -> Refused | None:
        """Take a pending intent back: by its author, or by one who may approve it. None when done."""
        now = self._audit.clock(now)
        with self._lock:
            self._expire(now)
            waiting = self._book.pending.get(transaction)
            if waiting is None:
                return self._nothing_pending(transaction, user, now)
            act = Act(transaction, waiting.intent, waiting.user, now)
            actor = self._actors(user)
            if actor is None:
                return self._refuse(act, user, (why.UnknownUser(user),))
            if user != waiting.user and not self._is_approver(actor, waiting.grant):
                return self._refuse(act, user, (why.NotApprover(user, waiting.grant),))
            self._audit.append(act.record("declined", user))
            return None

    def explain(self, intent: Intent, user: str, now: int) -> tuple[Refusal, ...]:
        """Every reason why ``authorise`` would refuse; changes and records nothing."""
        with self._lock:
            return self._decide(intent, user, self._audit.clock(now)).refusals

    def pending(self, now: int) -> tuple[Awaiting, ...]:
        """The intents that await approval, oldest first."""
        with self._lock:
            self._expire(self._audit.clock(now))
            return tuple(self._book.pending.values())

    def awaiting(self, user: str, now: int) -> tuple[Awaiting, ...]:
        """Those of them that the user made or may approve."""
        actor = self._actors(user)
        return tuple(
            one
            for one in self.pending(now)
            if actor is not None and (one.user == user or self._is_approver(actor, one.grant))
        )

    # ---- deciding

    def _decide(self, intent: Intent, user: str, now: int) -> Decision:
        actor = self._actors(user)
        if actor is None:
            return Decision(None, (why.UnknownUser(user),))
        return self._policy.decide(self._request(intent, actor, now))

    def _request(self, intent: Intent, actor: Actor, now: int) -> Request:
        return Request(
            actor=actor,
            account=intent.account,
            summaries=intent.summaries,
            created=intent.created,
            now=now,
            used=self._book.used(actor.user, now),
            has_key=bool(self._keys(intent.account)),
        )

    def _conclude(self, waiting: Awaiting, act: Act) -> Outcome:
        """Sign if all approvals are there and the grant still allows it; else say what is missing."""
        grant, actor = self._policy.named(waiting.grant), self._actors(waiting.user)
        if actor is None or grant is None or not grant.covers(actor):
            reasons: tuple[Refusal, ...] = (why.NoGrant(waiting.user),)
        elif self._approvals(waiting) < grant.approvals:
            return self._waiting(waiting)
        else:
            reasons = refusals(grant, self._request(waiting.intent, actor, act.now))
        if not reasons:
            return self._sign(act, waiting.grant, "signed")
        self._audit.append(act.record("declined", waiting.user))
        return self._refuse(act, waiting.user, reasons)

    def _may_not_approve(self, waiting: Awaiting, user: str) -> tuple[Refusal, ...]:
        actor = self._actors(user)
        if actor is None:
            return (why.UnknownUser(user),)
        found = list[Refusal]()
        if not self._is_approver(actor, waiting.grant):
            found.append(why.NotApprover(user, waiting.grant))
        if user == waiting.user:
            found.append(why.OwnIntent(user))
        if user in waiting.approvals:
            found.append(why.AlreadyApproved(user))
        return tuple(found)

    def _approvals(self, waiting: Awaiting) -> int:
        """How many approvals still count: a user who has lost his role since has lost his say."""
        approvers = (self._actors(user) for user in waiting.approvals)
        return sum(actor is not None and self._is_approver(actor, waiting.grant) for actor in approvers)

    def _is_approver(self, actor: Actor, grant: str) -> bool:
        named = self._policy.named(grant)
        return named is not None and not set(actor.roles).isdisjoint(named.approvers)

    def _keys(self, account: bytes) -> tuple[str, ...]:
        """The names of the active keys that sign for the account."""
        named = self._policy.key_names(account)
        if named:
            active = {key.name for key in self._keystore.listing() if key.status == "active"}
            return named if active.issuperset(named) else ()
        alone = self._keystore.key_of(account)
        return () if alone is None else (alone.name,)

    # ---- acting

    def _sign(self, act: Act, grant: str, action: str) -> Outcome:
        account = act.intent.account
        names = self._keys(account)
        if not names:
            return self._refuse(act, act.user, (why.NoKey(account),))
        envelope = self._keystore.sign_body(act.intent.body, [(account, name) for name in names])
        moves = act.intent.summaries
        self._audit.append(act.record(action, act.user, grant=grant, keys=names, summaries=moves))
        return Signed(act.transaction, envelope)

    def _refuse(self, act: Act, user: str, reasons: tuple[Refusal, ...]) -> Refused:
        sentences = tuple(reason.sentence() for reason in reasons)
        self._audit.append(act.record("refused", user, refusals=sentences))
        return Refused(act.transaction, reasons)

    def _nothing_pending(self, transaction: bytes, user: str, now: int) -> Refused:
        reason = why.NotPending(transaction)
        record = Record(0, now, "refused", user, transaction.hex(), refusals=(reason.sentence(),))
        self._audit.append(record)
        return Refused(transaction, (reason,))

    def _expire(self, now: int) -> None:
        for waiting in list(self._book.pending.values()):
            if now > self._expiry(waiting):
                act = Act(waiting.transaction, waiting.intent, waiting.user, now)
                self._audit.append(act.record("expired", waiting.user))

    def _expiry(self, waiting: Awaiting) -> int:
        grant = self._policy.named(waiting.grant)
        return waiting.intent.created + (grant.expires_after_s * SECOND if grant else 0)

    def _waiting(self, waiting: Awaiting) -> Pending:
        grant = self._policy.named(waiting.grant)
        needed = grant.approvals if grant else 0
        return Pending(waiting.transaction, waiting.approvals, needed, self._expiry(waiting))
