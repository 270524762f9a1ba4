"""What must be true after a case of the fault matrix."""

from __future__ import annotations

from case import Case


def judged(case: Case, told: dict) -> list[str]:
    """Everything that is not as it must be; empty: the case holds."""
    if "broken" in told:
        return [told["broken"]]
    wrong = [f"before: {problem}" for problem in told["before"]["problems"]]
    wrong += _attempt(case, told)
    wrong += _state("after", told["after"], case.version)
    last = told["later"][-1]
    if last["error"] is not None:
        wrong.append(f"the next attempt fails: {last['step']}: {last['error']} {last['message']}")
    for attempt in told["later"]:
        wrong += _cost("the next attempt", attempt["cost"], 1)
    wrong += _state("finally", told["finally"], case.final)
    return wrong


def _attempt(case: Case, told: dict) -> list[str]:
    wrong = []
    for attempt in told["attempts"]:
        ended = attempt["error"] or attempt["step"]
        if case.ends not in ("any", ended):
            wrong.append(f"the attempt ends with {ended} at {attempt['step']}: "
                         f"{attempt['message']}")  # fmt: skip
        elif case.at and attempt["step"] != case.at:
            wrong.append(f"it ends at {attempt['step']}, not at {case.at}: {attempt['message']}")
        elif case.says not in attempt["message"]:
            wrong.append(f"it says {attempt['message']!r}, without {case.says!r}")
        if attempt["error"] and attempt["error"].endswith("(not ours)"):
            wrong.append(f"{attempt['error']}: {attempt['message']}")
        if case.bounded:
            faults = sum(rule.get("times", 1) for rule in case.rules)
            wrong += _cost("the attempt", attempt["cost"], faults)
    aside = told["after"]["set_aside"]
    if case.aside and not aside.get("1.1.0"):
        wrong.append(f"1.1.0 is not set aside: {aside}")
    if not case.aside and aside:
        wrong.append(f"set aside without being to blame: {aside}")
    return wrong


def _state(when: str, found: dict, version: str) -> list[str]:
    wrong = [f"{when}: {problem}" for problem in found["problems"]]
    if version != "any" and found["active"] != version:
        wrong.append(f"{when}: {found['active']} is active, not {version}")
    return wrong


def _cost(when: str, cost: dict | None, faults: int) -> list[str]:
    if cost is None:
        return []
    wrong = []
    limit = cost["missing"] + faults * cost["allowed"]
    if cost["sent"] > limit:
        wrong.append(f"{when} cost {cost['sent']} bytes, where {cost['missing']} were missing "
                     f"and {limit} are allowed")  # fmt: skip
    if cost["missing"] == 0 and cost["requests"]:
        wrong.append(f"{when} asked {cost['requests']} times for a file that was here")
    if cost["again"]:
        wrong.append(f"{when} fetched again: {cost['again']}")
    return wrong
