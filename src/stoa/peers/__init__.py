"""Peers: what validators say to each other beside the log. Carries bytes; knows nothing of what they mean."""
