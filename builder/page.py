"""index.html and what stands in it: the template's blanks, and the facts about this build."""

import html
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from builder.errors import BuildError
from builder.files import short
from builder.notices import Notice, version
from builder.release.source import Pinned, download_size
from builder.release.trust import Trust
from builder.scripts import json_for_html
from builder.site import Site
from satchel.manifest import Variant

_BLANK = re.compile(r"\{\{(\w+)\}\}")

_TASK, _OURS = (
    re.compile(rf" *<!-- {kind}: (\w+) -->\n(.*?) *<!-- /{kind} -->\n", re.DOTALL)
    for kind in ("task", "ours")
)

SITE_BLANK = '"{{site}}"'
"""Where the facts go; in quotes so that the template itself is valid JSON there."""


def in_json(text: str) -> str:
    """Escape text for a place inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def fill(template: str, words: Mapping[str, str], *, quote: Callable[[str], str]) -> str:
    """Replace each {{name}} by the escaped word.

    Raises:
        BuildError: The template has a blank that nothing fills.
    """

    def word(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in words:
            raise BuildError(
                f"A template holds {{{{{name}}}}}, which isn't one of {', '.join(words)}."
            )
        return quote(words[name])

    return _BLANK.sub(word, template)


def for_tasks(template: str, tasks: Sequence[str], ours: Collection[str]) -> str:
    """Leave out of a template what belongs to tasks that the site has no model for.

    Such parts stand between `<!-- task: name -->` and `<!-- /task -->`. What is true of the models
    that come with Satchel, and not of everybody's, stands between `<!-- ours: name -->` and
    `<!-- /ours -->`. The view of the first task is the one that shows before the interface's Python
    runs.

    Args:
        template: The page.
        tasks: Tasks of the site's models, in their order.
        ours: Those whose model comes with Satchel.
    """

    def among(names: Collection[str]) -> Callable[[re.Match[str]], str]:
        return lambda found: found.group(2) if found.group(1) in names else ""

    kept = _TASK.sub(among(tasks), _OURS.sub(among(ours), template))
    return kept.replace(f'id="view-{tasks[0]}" hidden', f'id="view-{tasks[0]}"', 1)


def index(template: str, words: Mapping[str, str], about: Mapping[str, Any]) -> str:
    """Return index.html: {{site}} becomes JSON for a script element, the rest attribute-safe."""
    before, blank, after = template.partition(SITE_BLANK)
    if not blank:
        raise BuildError(f"index.html must hold {SITE_BLANK}, with its quotes, once.")
    filled = (fill(part, words, quote=html.escape) for part in (before, after))
    return json_for_html(about).join(filled)


def about(
    site: Site,
    urls: Mapping[str, str],
    sizes: Mapping[str, int],
    models: Sequence[Pinned],
    notices: Sequence[Notice],
) -> dict[str, Any]:
    """Return what the page's scripts know, all URLs relative to the page; `build` comes later."""
    return {
        "title": site.title,
        "version": version(),
        # Names everything stored: changing a title or the set of models makes another site.
        "scope_key": short("\n".join([site.title, *sorted(entry.id for entry in site.models)])),
        "urls": dict(urls),
        "parts": [{"name": name, "bytes": size} for name, size in sizes.items()],
        "models": [
            {
                "id": entry.id,
                "task": entry.task,
                "title": entry.title,
                "version": str(model.release.version),
                "manifest": urls["manifests"] + model.signed.name,
                "manifest_bytes": len(model.signed.data),
                "sha256": model.signed.sha256,
                # What the device's own variant is, the page finds out.
                "variants": [_variant(variant) for variant in model.variants],
            }
            for entry, model in zip(site.models, models, strict=True)
        ],
        "licences": [
            {"name": notice.name, "version": notice.version, "licence": notice.licence}
            for notice in notices
        ],
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "engine": variant.engine,
        "needs": list(variant.needs),
        "bytes": download_size(variant),
    }


def trust(trusted: Trust) -> dict[str, Any]:
    """Return what the page starts from when it verifies a release."""
    return {
        # As text: signatures are over these very bytes.
        "root": trusted.root.decode(),
        "id": trusted.id,
        "development": trusted.development,
    }
