"""What goes wrong while building, told to the person who runs the command."""


class BuildError(Exception):
    """A step can't be done. The message says what happened, to what, and what to do next."""


class InputMissingError(BuildError):
    """A file that the build needs isn't there."""


class HashMismatchError(BuildError):
    """A file isn't the one that was pinned."""
