"""A model's inputs, in words and examples. Pure: it runs on any Python."""

__all__ = ["axes", "belongs", "example", "more", "sizes_of"]

# Numbers of an example that still fit on a line.
_MOST = 12


def axes(inputs):
    """Names of the dynamic axes of some inputs, each once, in their order."""
    found = []
    for one in inputs:
        for name in one.axes:
            if name not in found:
                found.append(name)
    return found


def sizes_of(values):
    """Sizes by axis from what somebody wrote, or the name of the one that is no size.

    Args:
        values: (axis, text) each.

    Returns:
        (sizes, None), or (None, axis).
    """
    sizes = {}
    for axis, text in values:
        try:
            sizes[axis] = int(text)
        except ValueError:
            return None, axis
        if sizes[axis] < 1:
            return None, axis
    return sizes, None


def example(shape):
    """How a tensor of this shape looks as JSON; a dynamic axis has one entry.

    Args:
        shape: Sizes and names, as text.
    """
    sizes = [int(size) if size.isdigit() else 1 for size in shape]
    count = 1
    for size in sizes:
        count *= size
    if count > _MOST:
        return "[" * len(sizes) + "0, 0, …" + "]" * len(sizes)
    text = "0"
    for size in reversed(sizes):
        text = "[" + ", ".join([text] * size) + "]"
    return text


def belongs(name, inputs):
    """Places of the inputs (their names) that a file is for, by its own name.

    An archive may hold all of them; any other file is for the input that it is called like, or
    for the only one.
    """
    stem, _, ending = name.rpartition(".")
    if ending.lower() == "npz" or len(inputs) == 1:
        return list(range(len(inputs)))
    return [place for place, one in enumerate(inputs) if one == stem]


def more(count, shown):
    """What stands behind the first values."""
    left = count - shown
    return "" if left <= 0 else "… and {} more".format(left)
