"""Benchmarks: speed as commands of their own, never as timed tests.

Every figure comes with a ratio to a bare operation measured in the same run, because machines differ and are noisy.
"""
