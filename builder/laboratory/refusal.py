"""What an engine says when it doesn't do what a contestant asks of it."""


class Refused(Exception):  # noqa: N818  # no error of ours: the engine's answer
    """An engine refuses what a contestant asks of it.

    Attributes:
        reason: In the engine's words.
        fatal: Whether its worker has to be started again.
    """

    def __init__(self, reason: str, *, fatal: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fatal = fatal
