"""The About view: what is here, and whose work it is."""

from dom import by_id, el, fill
from pyscript.js_modules import host
from words import size

__all__ = ["fill_about", "show_versions"]


def fill_about():
    """Fill in what the site's own description knows."""
    site = host.site
    by_id("footer-version").textContent = "{} {}".format(site.title, site.version)
    by_id("about-notices").href = site.urls.notices
    models = (
        el("li", "{} ({}), {}".format(model.title, model.id, size(model.bytes)))
        for model in site.models
    )
    fill(by_id("about-models"), *models)
    rows = (
        el("tr", el("td", part.name), el("td", part.version), el("td", part.licence))
        for part in site.licences
    )
    fill(by_id("about-licences"), *rows)
    show_versions(())


def show_versions(facts):
    """Show this page's version and build, and more facts as (name, value)."""
    site = host.site
    everything = [(site.title, site.version), ("Build", site.build)]
    everything.extend(facts)
    terms = []
    for name, value in everything:
        terms.append(el("dt", name))
        terms.append(el("dd", value))
    fill(by_id("about-versions"), *terms)
