"""The read model: what people ask about, as SQL tables that follow the journal and can be thrown away.

Owns the tables (``schema``), their one writer (``project``, with one file a domain from event to rows), bringing them
up to a journal (``rebuild``), and the questions that pages and the API ask (``queries``). Promises: the views stand at
some block exactly, and the same blocks give the same rows, whether they came one by one or all at once. Does not own
any truth: a view decides nothing, and every figure here can be checked against a receipt.
"""
