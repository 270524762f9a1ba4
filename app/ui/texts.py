"""Texts and how alike they are, in words. Pure: it runs on any Python."""

__all__ = ["lines", "order", "score_text"]


def lines(text):
    """The texts that somebody wrote, one a line; empty lines are none."""
    found = [line.strip() for line in text.replace("\r", "\n").split("\n")]
    return [line for line in found if line]


def order(scores, chosen):
    """Places of texts, the most alike first: the chosen one itself, then by score."""
    return sorted(range(len(scores)), key=lambda k: (k != chosen, -scores[k]))


def score_text(score):
    """A cosine as people read it: 0.57, and −0.08 with a proper minus."""
    text = "{:.2f}".format(score)
    if text == "-0.00":
        text = "0.00"
    return text.replace("-", "\u2212")
