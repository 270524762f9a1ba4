"""The About view: what is here, and whose work it is."""

import host
from dom import by_id, el, fill, show
from standing import runs_in
from words import size

__all__ = ["AboutPanel"]


class AboutPanel:
    """Lists models, versions and licences, from the first time somebody looks at them."""

    def __init__(self):
        self._shown = False
        self._facts = ()
        self._models = ()
        by_id("footer-version").textContent = "{} {}".format(host.site.title, host.site.version)

    def show(self):
        """The view is shown; its lists are long, and an opening page has better to do."""
        if self._shown:
            return
        self._shown = True
        site = host.site
        by_id("about-notices").href = site.urls.notices
        if site.models_origin:
            models_from = " and its models from {}".format(site.models_origin)
            by_id("about-origin").textContent = models_from
        models = (
            el("li", "{} ({}), {}".format(model.title, model.id, size(model.bytes)))
            for model in site.models
        )
        fill(by_id("about-models"), *models)
        self._fill_engines()
        rows = (
            el("tr", el("td", part.name), el("td", part.version), el("td", part.licence))
            for part in site.licences
        )
        fill(by_id("about-licences"), *rows)
        self._fill_versions()

    def update(self, facts):
        """Show more about the version than what the site's own description knows.

        Args:
            facts: Pairs of name and value.
        """
        self._facts = facts
        if self._shown:
            self._fill_versions()

    def learn(self, models):
        """Show what the models run in.

        Args:
            models: The library's facts about them.
        """
        self._models = models
        if self._shown:
            self._fill_engines()

    def _fill_engines(self):
        said = runs_in(self._models)
        by_id("about-engines").textContent = " ".join(said)
        show(by_id("about-engines"), bool(said))

    def _fill_versions(self):
        site = host.site
        signed = "development keys" if site.trust.development else "its owner’s keys"
        everything = [(site.title, site.version), ("Build", site.build)]
        everything.append(("Models signed with", signed))
        everything.extend(self._facts)
        terms = []
        for name, value in everything:
            terms.append(el("dt", name))
            terms.append(el("dd", value))
        fill(by_id("about-versions"), *terms)
