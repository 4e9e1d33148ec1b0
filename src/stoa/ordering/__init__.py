"""Ordering: gives batches one order. Knows nothing of what they mean or where blocks are kept."""
