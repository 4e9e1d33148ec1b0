"""The reference pages of ``docs/reference``, written from the code, so that they cannot say anything else.

Owns what is said and in which order; each page is a function that returns its text. ``python -m scripts.reference``
writes them, ``--check`` names the ones that are not current. Does not own a single word about meaning: those are the
docstrings of the code.
"""
