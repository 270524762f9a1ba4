"""From what the developer names to a dataset: by what lies there."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from satchel_models.convert import graphs, operators
from satchel_models.data import arrays, dataset, generated, images, resizing, texts
from satchel_models.data.dataset import Dataset
from satchel_models.data.feeds import Feeds, Sample
from satchel_models.data.images import Preprocessing
from satchel_models.data.scoring import Classes, Likeness, Scorer, Scores
from satchel_models.errors import DataError
from satchel_models.steps import Converted, Spec


def load(
    path: Path | None,
    converted: Converted,
    *,
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
    tokenizer: Path | None = None,
    seed: int = 0,
) -> Dataset:
    """Load data for a model.

    Args:
        path: A folder of images, with `labels.csv` (`file,class_index`) or without; an `.npz` with
            arrays by input name and perhaps `labels`; a CSV of `sentence1,sentence2,score` without
            header, or of one text a row; None: inputs are made up, with a warning.
        converted: The model.
        calibration: More of the same kind, for calibration alone; None: a part of the data.
        preprocessing: From photos to inputs; None: the usual, with a warning.
        tokenizer: For texts: the model's tokenizer.json, or tokenizer.txt as Satchel writes it.
        seed: Of what is random.

    Raises:
        DataError: Something is missing, damaged, or doesn't fit the model.
    """
    how = _Loading(converted, preprocessing, tokenizer)
    apart = None if calibration is None else how.samples(calibration).samples
    if path is None:
        return _generated(converted, apart, seed)
    found = how.samples(path)
    parts = dataset.split(
        found.samples, apart, found.scorer, each=found.each, seed=seed, place=str(path)
    )
    return Dataset(
        name=f"{len(found.samples)} {found.what} of {path.name}",
        parts=parts,
        generated=False,
        timing=found.timing or _timing(parts["report"].feeds[0]),
        ladder=resizing.ladder(converted.inputs, converted.examples),
        warnings=dataset.remarks(parts, found.warnings),
    )


class _Found:
    """What lies at a place."""

    def __init__(
        self,
        samples: list[Sample],
        scorer: Scorer,
        what: str,
        *,
        each: int = 1,
        timing: dict[str, Feeds] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.samples = samples
        self.scorer = scorer
        self.what = what
        self.each = each
        self.timing = timing
        self.warnings = warnings


class _Loading:
    """How this model's data is read."""

    def __init__(
        self, converted: Converted, preprocessing: Preprocessing | None, tokenizer: Path | None
    ) -> None:
        self.converted = converted
        self.preprocessing = preprocessing
        self.tokenizer = tokenizer

    def samples(self, path: Path) -> _Found:
        """Read a place."""
        if path.is_dir():
            return self._images(path)
        if not path.exists():
            raise DataError(
                f"There is no {path}. Data is a folder of images, an .npz or a CSV; without any, "
                "leave the option out."
            )
        if zipfile.is_zipfile(path) or path.suffix == ".npz":
            return self._arrays(path)
        if path.suffix.lower() in {".csv", ".txt"}:
            return self._texts(path)
        raise DataError(
            f"{path} is neither a folder of images nor an .npz nor a CSV; data is one of these."
        )

    def _images(self, path: Path) -> _Found:
        fits = images.layout(self.converted.inputs, self.converted.examples, path)
        how = self.preprocessing or Preprocessing()
        found, labelled = images.samples(path, fits, how, _classes(self.converted.outputs))
        scorer: Scorer = Classes() if labelled else Likeness(classes=True)
        said = images.warnings(fits, self.preprocessing)
        return _Found(found, scorer, "images", warnings=said)

    def _arrays(self, path: Path) -> _Found:
        found, labelled = arrays.samples(
            path, self.converted.inputs, _classes(self.converted.outputs)
        )
        return _Found(found, Classes() if labelled else _likeness(self.converted), "rows")

    def _texts(self, path: Path) -> _Found:
        how = texts.reading(self.converted.inputs, self.tokenizer, path)
        found, scored = texts.samples(path, how)
        timing = how.timing(texts.texts(path))
        if scored:
            return _Found(found, Scores(), "pairs of sentences", each=2, timing=timing)
        return _Found(found, Likeness(classes=False), "texts", timing=timing)


def _generated(converted: Converted, apart: Sequence[Sample] | None, seed: int) -> Dataset:
    below = operators.limits(graphs.load(converted.file))
    made = generated.samples(converted.inputs, converted.examples, below, seed)
    parts = dataset.split(
        made, apart, _likeness(converted), each=1, seed=seed, place="What was made up"
    )
    return Dataset(
        name=f"{len(made)} made-up inputs",
        parts=parts,
        generated=True,
        timing=_timing(parts["report"].feeds[0]),
        ladder=resizing.ladder(converted.inputs, converted.examples),
        warnings=(generated.WARNING.format(seed),),
    )


def _likeness(converted: Converted) -> Likeness:
    return Likeness(classes=not texts.takes_texts(converted.inputs))


def _classes(outputs: Sequence[Spec]) -> int | None:
    """How many classes a model tells apart; None: its outputs don't say."""
    for spec in outputs:
        if len(spec.shape) > 1 and spec.dtype.startswith("float"):
            return spec.shape[1] if isinstance(spec.shape[1], int) else None
    return None


def _timing(feeds: Feeds) -> dict[str, Feeds]:
    """One input, named by its size."""
    first = next(iter(feeds.values()))
    axis = resizing.channel_axis(first.shape)
    sides = [size for k, size in enumerate(first.shape) if k not in {0, axis}]
    if axis is not None:
        return {"×".join(map(str, reversed(sides))): feeds}
    return {"×".join(map(str, first.shape)) or "scalar": feeds}
