"""How a model stands, as a person would say it, and what can be done about it.

Pure: it runs on any Python. `model`, `update` and `check` are parts of the engine's library facts
(docs/ARCHITECTURE.md), with None for what it doesn't say.
"""

from words import size

__all__ = [
    "actions",
    "busy",
    "explain",
    "figures",
    "heading",
    "headline",
    "looked",
    "news",
    "question",
    "refused",
    "runs_in",
    "share",
    "spoken",
    "strip",
    "summary",
    "update_actions",
    "versions",
]

_DOES = {
    "label": "Says what is in photos",
    "embed": "Compares texts",
    "tensors": "Takes numbers, gives numbers",
}

_RUNNING = ("downloading", "verifying", "validating")
_READY = ("available", "waiting")

# Whose update the strip tells of, when there are several.
_URGENCY = ("downloading", "verifying", "validating", "failed", "paused", "available", "waiting")


# ---- a model


def summary(model):
    """What stands under its name, apart from when somebody last looked for a newer one."""
    words = [_DOES.get(model.task, model.task)]
    if model.installed:
        words.append(model.size_text + " on this device")
        words.append("runs in " + model.variant.engine_title)
    else:
        words.append("not on this device, {} to fetch".format(model.bytes_text))
    if model.pinned:
        words.append("stays at {}".format(model.pinned))
    return words


def runs_in(models):
    """Which engine each model runs in here, and why in no better one: sentences."""
    said = []
    for model in models:
        if model.installed:
            said.append("{} runs in {}.".format(model.title, model.variant.engine_title))
            if model.reason:
                said.append(model.reason)
    return said


def actions(model, first):
    """What can be done with a model: (action, text, style) each.

    Args:
        model: The model.
        first: Whether the page fetches it by itself, and has a panel for that.
    """
    if not model.installed:
        return [] if first else [("install", "Fetch {}".format(model.bytes_text), "primary")]
    can = []
    if model.previous:
        # Who went back has the newer one still here.
        text = "Take {} again" if _newer(model.previous, model.version) else "Go back to {}"
        can.append(("rollback", text.format(model.previous), "small"))
    if model.pinned:
        can.append(("follow", "Follow updates again", "small"))
    else:
        can.append(("pin", "Stay at {}".format(model.version), "small"))
    can.append(("delete", "Delete from this device", "small quiet"))
    return can


def refused(model):
    """Newer versions that are not offered: (version, reason, whether to offer it again) each."""
    return [
        (one.version, one.reason, one.version != model.previous)
        for one in model.set_aside
        if model.version and _newer(one.version, model.version)
    ]


def question(model, first):
    """What is asked before a model is deleted."""
    text = "Delete {} from this device? {} would have to be fetched again: {}."
    needed = "This page needs it, and it" if first else "To use it again, it"
    return text.format(model.title, needed, model.bytes_text)


def _newer(one, other):
    """Whether a version is above another one; what it is called before its release aside."""
    numbers = [
        [int(number) for number in version.split("+")[0].split("-")[0].split(".")]
        for version in (one, other)
    ]
    return numbers[0] > numbers[1]


# ---- its update


def busy(update):
    """Whether something is being done about it right now."""
    return update.state in _RUNNING


def heading(update):
    """An update in a few words."""
    return {
        "downloading": "Fetching version {}",
        "paused": "Version {} is half here",
        "verifying": "Checking version {}",
        "validating": "Trying out version {}",
        "failed": "The update to {} failed",
    }.get(update.state, "Version {} is ready").format(update.version)


def figures(update):
    """Its bytes, or what is done with them."""
    if update.state in ("downloading", "paused"):
        return "{} of {} fetched".format(size(update.received), size(update.total))
    if update.state in _READY:
        if not update.fetch:
            return "Nothing to fetch: all of it is here"
        return "{} of {} to fetch".format(update.fetch_text, update.size_text)
    return ""


def explain(model):
    """The sentences under its figures."""
    update = model.update
    said = []
    if update.state == "verifying":
        said.append("All of it is here; now every byte is checked.")
    if update.state == "validating":
        said.append("It gets known examples before it may answer you.")
    if update.reason:
        said.append(update.reason)
    if busy(update) and model.version:
        said.append("Meanwhile {} goes on answering.".format(model.version))
    if update.state == "failed" and model.version:
        said.append("Version {} is still running.".format(model.version))
    if update.mandatory and not busy(update):
        said.append("Whoever keeps these models asks everybody to take this update.")
    return said


def share(update):
    """How much of its download is here, in percent."""
    if update.state == "downloading" or update.state == "paused":
        return int(100.0 * update.received / update.total) if update.total else 0
    return 100


def update_actions(update, ours):
    """What can be done about an update: (action, text, style) each.

    Args:
        update: The update.
        ours: Whether this page began what is running.
    """
    if busy(update):
        # What another tab or the engine itself has begun goes on without us.
        return [("pause", "Pause", ""), ("discard", "Cancel", "quiet")] if ours else []
    if update.state == "paused":
        return [("update", "Go on", "primary"), ("discard", "Cancel", "quiet")]
    if update.state == "failed":
        return [("update", "Try again", "primary")]
    return [("update", "Update", "primary")]


# ---- what the rest of the page tells of it


def headline(models):
    """The model whose update matters most now, or None."""
    with_update = [model for model in models if model.update and not _unwanted(model)]
    if not with_update:
        return None
    return min(with_update, key=lambda model: _URGENCY.index(model.update.state))


def strip(update):
    """An update as the strip at the top says it."""
    if update.state == "downloading":
        return "Updating: {} %".format(share(update))
    return {
        "verifying": "Updating: checking",
        "validating": "Updating: trying out",
        "failed": "Update failed",
        "paused": "Update paused",
    }.get(update.state, "Update ready")


def news(models, metered):
    """What a person should hear without looking for it.

    Args:
        models: The models.
        metered: Whether the connection may cost money.

    Returns:
        (model's id, what it is about, kind of note, text, text of its button or "") each. What it
        is about changes when there is something new to say.
    """
    told = []
    for model in models:
        if model.withdrawn:
            about = "withdrawn {}".format(model.version)
            told.append((model.id, about, "bad", model.withdrawn, ""))
        elif model.update and not _unwanted(model):
            told.extend(_news_of(model, metered))
    return told


def _unwanted(model):
    """Whether somebody has decided already that it stays as it is."""
    return model.pinned and model.update.state in _READY


def _news_of(model, metered):
    update = model.update
    name = "{} {}".format(model.title, update.version)
    if update.mandatory and busy(update):
        text = "{} is needed and on its way. {} goes on answering until then."
        text = text.format(name, model.version)
        return [(model.id, "needed " + update.version, "info", text, "")]
    if update.state not in _READY:
        return []
    if update.mandatory and metered:
        text = "{} is needed: {} to fetch, and this connection may cost you."
        text = text.format(name, update.fetch_text)
        return [(model.id, "ask " + update.version, "warn", text, "Fetch " + update.fetch_text)]
    text = "{} is ready: {} to fetch.".format(name, update.fetch_text)
    return [(model.id, "ready " + update.version, "info", text, "See what is new")]


# ---- what happened


def versions(entry):
    """From which version to which an entry of the history leads."""
    before, after = getattr(entry, "from"), entry.to
    if before and after and before != after:
        return "{} → {}".format(before, after)
    return after or before or ""


def spoken(entry, title):
    """An entry of the history as sentences that stand by themselves."""
    before, after = getattr(entry, "from"), entry.to
    if not entry.text:
        return "{} {}: {}.".format(title, after or before or "", entry.outcome)
    if before and after and before != after:
        return "{}: {} Version {} is running now.".format(title, entry.text, after)
    return "{}: {}".format(title, entry.text)


# ---- looking for new versions


def looked(check, ago, online, waiting):
    """What came of looking for new versions: (sentence, tone).

    Args:
        check: The check.
        ago: When it was, in words; "" for never.
        online: Whether the browser says that there is a network.
        waiting: How many updates there are.
    """
    if check.running:
        return "Looking for new versions …", ""
    if check.problem:
        return check.problem, "warn"
    if not online:
        return "This device is offline. Everything here works; new versions can wait.", ""
    if not ago:
        return "Nobody has looked for new versions yet.", ""
    found = "there is something new" if waiting else "everything here is up to date"
    return "Looked {}: {}.".format(ago, found), ""
