"""A site with two models and two inference engines, quick to build."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import own_sites
import two_engines

from satchel_models import Recipe, artefact
from satchel_models.own_interface import resolutions, with_interface
from satchel_models.recipe import Session, Variant

LABELS = "".join(f"digit {name}\n" for name in own_sites.GLYPHS)


def make(folder: Path, needs: tuple[str, ...] = ("relaxed-simd",)) -> Path:
    """Begin the site, and return its file.

    Its first model, `digits`, has a variant for LiteRT, with these needs, and one for ONNX Runtime.
    Its second one, `sums`, takes tensors and has one for ONNX Runtime alone.
    """
    site = own_sites.make(
        folder / "digits",
        "label",
        own_sites.digits(two_engines.SIDE),
        labels=LABELS,
        title="Digits",
    )
    place = site.parent / "models/digits"
    recipe = Recipe.load(place)
    fast, plain = folder / "fast.tflite", folder / "plain.onnx"
    fast.write_bytes(two_engines.tflite())
    onnx.save(with_interface(onnx.load(recipe.original), recipe), plain)
    loaded = {"session": Session("basic"), "resolutions": resolutions(recipe)}
    variants = [
        (Variant("fast", "litert", "model.tflite", needs=needs, **loaded), fast),
        (Variant("plain", "onnxruntime", "model.onnx", **loaded), plain),
    ]
    artefact.keep(recipe, recipe.made_from, variants)
    other = own_sites.make(folder / "sums", "tensors", own_sites.sums(), title="Sums")
    shutil.copytree(other.parent / "models/sums", site.parent / "models/sums")
    models = other.read_text("utf-8").partition("[[models]]")
    site.write_text(site.read_text("utf-8") + "\n" + "".join(models[1:]), "utf-8")
    return site
