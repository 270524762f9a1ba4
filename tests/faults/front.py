"""Stands between a host and the browser, and does to the host's answers what networks and hosts do.

Each visitor has a lane of its own, `/<lane>/…`: which folder of the host it sees there, which
answers are spoilt and how, and what was really sent. So many visitors meet different faults at the
same time. A lane is led through the same address, so that a visitor can say "now it works again":

    GET /<lane>/_lead?<JSON, percent-encoded: {"show": folder, "rules": [rule, …]}>
    GET /<lane>/_reached   calls `reached`: something happens here the moment a page says so
    GET /<lane>/_sent      → [[path, first, stop, status, body bytes], …] since the last `_lead`

A rule is `{"path": pattern, "fault": name, …}`: the fault's options, and `times` (how many
answers it spoils; absent: all) and `skip` (how many it lets pass before).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from spoiling import FAULTS, Reply, Spoiler

EVERYWHERE = (b"access-control-allow-origin", b"*")
"""Lanes may lie at several ports, to a browser several origins."""


@dataclass
class Sent:
    """One answer, as it really went out."""

    path: str
    first: int | None
    stop: int | None
    status: int = 0
    bytes: int = 0


@dataclass
class Lane:
    """What one visitor sees."""

    folder: str = ""
    rules: list[dict] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    waiting: int = 0  # answers that stopped half-way
    turn: int = 0  # counts `_lead`s: who waits on an earlier one has waited long enough

    def rule(self, path: str) -> dict | None:
        """The rule that holds for this request."""
        for rule in self.rules:
            if not re.search(rule["path"], path):
                continue
            rule["seen"] = rule.get("seen", 0) + 1
            number = rule["seen"] - rule.get("skip", 0)
            if 0 < number <= rule.get("times", number):
                return rule
        return None


class Front:
    """Wraps a host: `serving(folder, wrap=front)`."""

    def __init__(self) -> None:
        self.lanes: dict[str, Lane] = {}
        self.reached: Callable[[str], None] = lambda name: None

    def __call__(self, app):
        async def answer(scope, receive, send):
            _, name, rest = scope["path"].split("/", 2)
            if name not in self.lanes and not rest.startswith("_"):
                await app(scope, receive, _everywhere(send))
                return
            lane = self.lanes.setdefault(name, Lane())
            if rest == "_lead":
                wanted = json.loads(unquote(scope["query_string"].decode()))
                await _tell(send, self.lead(name, **wanted))
            elif rest == "_reached":
                self.reached(name)
                await _tell(send, None)
            elif rest == "_sent":
                await _tell(send, [list(vars(sent).values()) for sent in lane.sent])
            else:
                await self._answer(app, lane, rest, scope, receive, send)

        return answer

    def lead(self, name: str, show: str | None = None, rules: list[dict] | None = None) -> str:
        """Say what a lane shows and spoils from now on, and begin to count anew."""
        lane = self.lanes.setdefault(name, Lane())
        lane.folder = lane.folder if show is None else show
        lane.rules = [dict(rule) for rule in rules or ()]
        lane.sent = []
        lane.turn += 1
        return name

    async def _answer(self, app, lane, rest, scope, receive, send):
        asked = re.search(r"bytes=(\d+)-(\d+)", _header(scope, b"range"))
        first, stop = (int(asked[1]), int(asked[2]) + 1) if asked else (None, None)
        sent = Sent(rest, first, stop)
        lane.sent.append(sent)
        open_send = _everywhere(send)

        async def count(message):
            if message["type"] == "http.response.start":
                sent.status = message["status"]
            sent.bytes += len(message.get("body", b""))
            await open_send(message)

        rule = lane.rule(rest)
        path = f"/{lane.folder}/{rest}"
        if rule is not None and rule["fault"] == "other_file":
            path = f"/{lane.folder}/{rule['instead']}"
        scope = {**scope, "path": path, "raw_path": path.encode()}
        if rule is None or rule["fault"] == "other_file":
            await app(scope, receive, count)
            return
        if rule["fault"] == "whole":
            scope["headers"] = [(k, v) for k, v in scope["headers"] if k != b"range"]
        reply = await collected(app, scope, receive)
        options = {
            key: value
            for key, value in rule.items()
            if key not in ("path", "fault", "times", "skip", "seen")
        }
        spoiler = Spoiler(lane, reply, receive, count, send)
        try:
            await FAULTS[rule["fault"]](spoiler, **options)
        finally:
            spoiler.end()


async def collected(app, scope, receive) -> Reply:
    """A host's whole answer, not compressed."""
    started, body = {}, []

    async def collect(message):
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            body.append(message.get("body", b""))

    # What spoils a body must meet the file's own bytes.
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    await app({**scope, "headers": headers}, receive, collect)
    return Reply(started["status"], list(started["headers"]), b"".join(body))


def _everywhere(send):
    async def sending(message):
        if message["type"] == "http.response.start":
            names = [name.lower() for name, _ in message["headers"]]
            if EVERYWHERE[0] not in names:
                message = {**message, "headers": [*message["headers"], EVERYWHERE]}
        await send(message)

    return sending


async def _tell(send, value: object) -> None:
    content = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), EVERYWHERE]
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": content})


def _header(scope, wanted: bytes) -> str:
    return next((value.decode() for name, value in scope["headers"] if name == wanted), "")
