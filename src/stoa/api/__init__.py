"""The API: what programs ask of one institution's node over HTTP. Bytes in, facts out.

Owns: routes under ``/v1``, the problem documents that every refusal becomes, who may read what (``viewer``), the feed
of final facts, and the server that runs them in the node's own process.

Promises: every error is a problem document (RFC 9457) with a name, a sentence in English or Korean and all reasons;
``accepted`` and ``final`` are told apart; a repeated submission is answered, not refused. Listens on 127.0.0.1 alone.
Does not own: what an instruction means (``ledger``), who signs (``custody``), pages (``web``).
"""
