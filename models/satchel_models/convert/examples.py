"""Which sizes a graph is run with: those that the developer names, else the first that work."""

from collections.abc import Iterator, Mapping, Sequence

from onnxruntime import InferenceSession

from satchel_models.convert import graphs, samples
from satchel_models.convert.original import Original
from satchel_models.convert.samples import Input
from satchel_models.errors import ConversionError
from satchel_models.steps import Spec

SIDE = 224
"""Pixels: the usual size of an image."""

GUESSES = (16, 64, 8, 32, 128, 256, 512, 1024, 4096, 16000, 1)
"""Sizes of dynamic axes that are tried, in this order."""


def found(
    opened: InferenceSession,
    specs: Sequence[Spec],
    original: Original,
    below: Mapping[str, int],
) -> tuple[Input, ...]:
    """Inputs with sizes that the graph runs with.

    Args:
        opened: The graph.
        specs: Its inputs; every dynamic axis has a name.
        original: May name example shapes.
        below: What whole numbers stay below, by input.

    Raises:
        ConversionError: It runs with none, or the developer's don't fit its inputs.
    """
    said = _said(specs, original)
    first: ConversionError | None = None
    for shapes in _candidates(specs, said):
        inputs = _inputs(specs, shapes, below)
        try:
            graphs.run(opened, samples.draw(inputs, 0), str(original.path))
        except ConversionError as error:
            first = first or error
            continue
        return inputs
    shown = ", ".join(f"{s.name} [{', '.join(map(str, s.shape))}]" for s in specs)
    raise ConversionError(
        f"{original.path} doesn't run with random inputs ({shown}). Give example sizes: "
        f"--input NAME=1x3x224x224:float32. {first}"
    )


def _said(specs: Sequence[Spec], original: Original) -> dict[str, tuple[int, ...]]:
    by_name = {spec.name: spec for spec in specs}
    for name, (shape, dtype) in (original.inputs or {}).items():
        spec = by_name.get(name)
        if spec is None:
            raise ConversionError(
                f"{original.path} has no input {name}; it has {', '.join(by_name)}."
            )
        fits = len(shape) == len(spec.shape) and all(
            isinstance(axis, str) or axis == size
            for axis, size in zip(spec.shape, shape, strict=False)
        )
        if not fits or dtype != spec.dtype:
            raise ConversionError(
                f"{original.path}: input {name} is {spec.dtype} "
                f"[{', '.join(map(str, spec.shape))}], not {dtype} "
                f"[{', '.join(map(str, shape))}]."
            )
    return {name: shape for name, (shape, _) in (original.inputs or {}).items()}


def _candidates(
    specs: Sequence[Spec], said: Mapping[str, tuple[int, ...]]
) -> Iterator[dict[str, tuple[int, ...]]]:
    """Shapes by input; an axis of the same name has the same size everywhere."""
    known = {
        axis: size
        for spec in specs
        for axis, size in zip(spec.shape, said.get(spec.name, ()), strict=False)
        if isinstance(axis, str)
    }
    axes = samples.batch_axes(specs)
    batch = {str(spec.shape[axes[spec.name]]) for spec in specs if spec.name in axes}
    sides = {
        axis
        for spec in specs
        if len(spec.shape) == 4 and spec.dtype.startswith(("float", "uint8"))
        for axis in spec.shape
        if isinstance(axis, str)
    }
    free = {a for s in specs for a in s.shape if isinstance(a, str)} - batch - known.keys()
    own = free - {axis for spec in specs[:1] for axis in spec.shape}
    for guess in GUESSES:
        sizes = {**dict.fromkeys(free, guess), **dict.fromkeys(batch, 1), **known}
        if guess == GUESSES[0]:
            sizes.update(dict.fromkeys(sides & free, SIDE))
        yield _shapes(specs, sizes)
        # What only later inputs have may be a batch under another name.
        if own:
            yield _shapes(specs, {**sizes, **dict.fromkeys(own, 1)})
        if not free:
            return


def _shapes(specs: Sequence[Spec], sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    return {
        spec.name: tuple(axis if isinstance(axis, int) else sizes[axis] for axis in spec.shape)
        for spec in specs
    }


def _inputs(
    specs: Sequence[Spec], shapes: Mapping[str, tuple[int, ...]], below: Mapping[str, int]
) -> tuple[Input, ...]:
    axes: dict[str, int] = samples.batch_axes(specs) or dict.fromkeys(samples.batched(shapes), 0)
    return tuple(
        Input(s.name, s.dtype, shapes[s.name], axes.get(s.name), below.get(s.name, samples.FEW))
        for s in specs
    )
