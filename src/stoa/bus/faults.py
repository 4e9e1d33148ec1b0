"""What may go wrong on the bus. Each is a fault: input or output, tried again or counted, never recorded."""


class BusFault(Exception):
    """Something between this process and the others did not work."""


class Disconnected(BusFault):
    """There is no connection to any server now, or the bus was closed."""

    def __init__(self) -> None:
        super().__init__("not connected to any NATS server")


class Silent(BusFault):
    """Nobody answered in time, or nobody is there who could, or who answered could not say."""


class TooLarge(BusFault):
    """The payload is larger than the servers take."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size} bytes, and a message carries at most {most}")
        self.size, self.most = size, most
