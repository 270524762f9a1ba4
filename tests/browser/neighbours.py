"""More sites than the project's own: another one of other words, and a later build of the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

from builder import bundle, serviceworker, site
from builder.files import short, tree
from builder.paths import ROOT


def other_site(folder: Path, title: str) -> Path:
    """Build a site with another title, and return what it is served from."""
    own = site.load(ROOT / "site.toml")
    lines = [f"title = {json.dumps(title)}", 'description = "A site of its own."']
    for model in own.models:
        lines += ["[[models]]"]
        lines += [
            f"{name} = {json.dumps(getattr(model, name))}" for name in ("id", "task", "title")
        ]
        lines += [f"recipe = {json.dumps(str(model.recipe))}"]
    folder.mkdir(parents=True)
    (folder / "site.toml").write_text("\n".join(lines), "utf-8")
    return bundle.build(site.load(folder / "site.toml"), folder / "dist")


def copied(dist: Path, folder: Path) -> Path:
    """Copy a built site without copying bytes; files are to be replaced, never written into."""
    for name, path in tree(dist):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    return folder


def deploy_another_build(folder: Path) -> str:
    """Put a later build in place of the one in `folder`, as a host does; return its name.

    It differs in the inference worker's script, which goes by another name from then on, and in
    the page. The old script is gone from the host.
    """
    index = (folder / "index.html").read_text("utf-8")
    (old,) = folder.glob("assets/inference.*.mjs")
    content = old.read_text("utf-8") + "\n// a later build\n"
    new = old.with_name(f"inference.{short(content)}.mjs")
    replace(new, content)
    old.unlink()
    before, opening, rest = index.partition('<script type="application/json" id="site">')
    about, closing, after = rest.partition("</script>")
    facts = json.loads(about)
    build = short(facts["build"] + new.name)
    changed = about.replace(facts["build"], build).replace(old.name, new.name)
    replace(folder / "index.html", before + opening + changed + closing + after)
    engines = serviceworker.of_engines(facts["engines"])
    files = dict(tree(folder))
    script = serviceworker.script(serviceworker.source(), build, files, engines=engines)
    replace(folder / "sw.js", script)
    return build


def replace(path: Path, content: str | bytes) -> None:
    """Write a file anew; whoever else has a link to the old one keeps it."""
    path.unlink(missing_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
