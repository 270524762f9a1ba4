"""How well an embedding model finds what is alike: in the real browser, beside its original.

Spearman's correlation between the cosines of pairs of sentences and the scores that people gave
them, for the built site and for the float32 original; and how far their vectors differ.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from builder import lab, made
from builder.errors import BuildError
from builder.files import fingerprint
from builder.paths import CACHE
from builder.progress import console, doing
from builder.report import Report
from satchel_models import ModelError
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.pairs import Pair, cosines, original, read_pairs, spearman

BATCH = 256
"""Texts for each call into the browser, so that progress shows."""

EMBED = """async (texts) => {
  const { vectors } = await satchel.engine.call("embed", [texts]);
  return Array.from(vectors);
}"""

Vectors = dict[str, NDArray[np.float32]]
"""By text."""


def measure(recipe: EmbedRecipe, variant: str, data: Path | None) -> Report:
    """Embed the sentences of a CSV in the browser and by the original, and compare.

    Raises:
        BuildError: There is no such data, or something failed.
    """
    if data is None or not data.is_file():
        raise BuildError(
            "Evaluation needs scored pairs of sentences: --data FILE, a CSV of "
            "sentence1,sentence2,score without a header."
        )
    try:
        pairs = read_pairs(data)
        texts = sorted({text for pair in pairs for text in (pair.first, pair.second)})
        browser = in_browser(recipe, variant, texts)
        return report(pairs, browser, of_original(recipe, texts, data))
    except ModelError as error:
        raise BuildError(str(error)) from error


def report(pairs: list[Pair], browser: Vectors, original: Vectors) -> Report:
    """Return the figures under the names that others read."""
    people = np.array([pair.score for pair in pairs])
    made = Report("evaluate")
    made.figure("spearman", spearman(cosines(browser, pairs), people), "correlation")
    made.figure("spearman_original", spearman(cosines(original, pairs), people), "correlation")
    alike = [float(browser[text] @ original[text]) for text in original]
    made.figure("cosine_mean", float(np.mean(alike)), "cosine with the original's vectors")
    made.figure("cosine_least", float(np.min(alike)), "cosine with the original's vectors")
    made.figure("count", len(pairs), "pairs")
    return made


def in_browser(recipe: EmbedRecipe, variant: str, texts: list[str]) -> Vectors:
    """Return the vectors that the built site gives."""
    vectors: Vectors = {}
    with lab.opened(lab.built(recipe, variant)) as page:
        lab.install(page, recipe.id)
        for start in track(range(0, len(texts), BATCH), "In the browser", console=console):
            batch = texts[start : start + BATCH]
            flat = np.array(page.evaluate(EMBED, batch), np.float32)
            vectors.update(zip(batch, flat.reshape(len(batch), -1), strict=True))
    return vectors


def of_original(recipe: EmbedRecipe, texts: list[str], data: Path) -> Vectors:
    """Return the original's vectors; kept by the content of what they depend on."""
    name = fingerprint([data, made.CODE], repr(recipe.source), repr(recipe.encoding))[:16]
    kept = CACHE / "original" / f"{recipe.id}-{name}.npz"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with doing("Asking the float32 original …"):
            found = original(recipe, texts, made.ORIGINALS)
        np.savez(kept, vectors=np.stack([found[text] for text in texts]))
    with np.load(kept, allow_pickle=False) as arrays:
        return dict(zip(texts, arrays["vectors"], strict=True))
