"""The console: pages of the market, a portfolio, the ledger's explorer, eligibility, and the proof checker.

Owns: what people see, in Korean and English, and the session cookie of a browser. Promises: every page works without
JavaScript, asks no other host for anything, and says nothing that the views, the node or custody did not say.
Does not own: any figure (``readmodel``), any rule (``ledger``), any right (``custody`` and ``api``).
"""
