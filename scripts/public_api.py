"""Names that Stoa offers to its users' programs and does not call itself, for scripts/dead_code.py.

Keep this short: each line is a promise to a stranger. Write the bare name as an expression, with its reader.
"""

from stoa.client.views import Fact

Fact.typed  # noqa: B018 - the events of a fact as values, for who follows the feed
