"""Amounts as people read them."""


def shown(amount: int, decimals: int) -> str:
    """An amount in the smallest unit, with its decimals and grouped thousands: 1234567 → ``12,345.67``."""
    whole, part = divmod(amount, 10**decimals)
    return f"{whole:,}" + (f".{part:0{decimals}}" if decimals else "")
