"""What was seen, as a table or as JSON. Pure: it runs on any Python."""

from collections import OrderedDict  # MicroPython's dict keeps no order

__all__ = ["COLUMNS", "csv_text", "json_value"]

COLUMNS = ("file", "rank", "index", "label", "score", "ms")

# Of the decision that made an answer.
_MADE = ("strategy", "variant", "resolution", "threads", "reason")

# A spreadsheet takes a cell that starts like this for a formula, and a file's name is anyone's to
# choose (OWASP, "CSV injection"): an apostrophe in front makes it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(photos):
    """One row per label of every photo that is done, as RFC 4180 has it.

    Args:
        photos: Of `photos.Photo`.
    """
    rows = [COLUMNS]
    for photo in photos:
        if photo.state != "done":
            continue
        for rank, (index, label, score) in enumerate(photo.predictions, 1):
            share, ms = "{:.6f}".format(score), "{:.1f}".format(photo.ms)
            rows.append((_text(photo.name), rank, index, _text(label), share, ms))
    return "".join(",".join(_cell(value) for value in row) + "\r\n" for row in rows)


def json_value(photos, made_with):
    """The same with what failed and why, as lists and dicts in reading order."""
    return OrderedDict(
        [
            ("schema", 1),
            ("made_with", made_with),
            ("results", [_result(photo) for photo in photos]),
        ]
    )


def _result(photo):
    result = OrderedDict([("file", photo.name), ("state", photo.state)])
    if photo.state != "done":
        result["reason"] = photo.reason
        return result
    result["model"] = photo.model
    result["ms"] = round(photo.ms, 1)
    if photo.made:
        result["made"] = OrderedDict([(name, getattr(photo.made, name)) for name in _MADE])
    result["predictions"] = [
        OrderedDict(
            [("rank", rank), ("index", index), ("label", label), ("score", round(score, 6))]
        )
        for rank, (index, label, score) in enumerate(photo.predictions, 1)
    ]
    return result


def _text(value):
    return "'" + value if value.startswith(_FORMULA) else value


def _cell(value):
    text = str(value)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
