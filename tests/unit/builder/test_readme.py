"""What the README says about commands is what the parser takes."""

import re

import pytest

from builder.cli import app
from builder.paths import ROOT

ROWS = re.findall(
    r"^\| `([^`]+)` \|",
    (ROOT / "README.md").read_text("utf-8").split("## Commands")[1],
    re.MULTILINE,
)


def commands(within, prefix=""):
    """Every command of the parser with its options, as the table writes them."""
    for name in within:
        if name.startswith("-"):
            continue
        command = within[name]
        if command.default_command is None:
            yield from commands(command, f"{prefix}{name} ")
        else:
            names = (argument.names for argument in command.assemble_argument_collection())
            options = {name for some in names for name in some if name.startswith("--")}
            options -= {"--ID", "--DIR", "--MODEL"}  # positional arguments' other names
            yield f"{prefix}{name}", options


def test_the_table_has_a_row_for_every_command_with_every_option():
    table = {}
    for row in ROWS:
        words = re.match(r"[a-z ]+[a-z]", row).group()
        table[words] = set(re.findall(r"--[a-z-]+", row))
    assert table == dict(commands(app))


@pytest.mark.parametrize("command", ["python3 build.py serve", "python3 build.py test"])
def test_the_two_commands_are_there(command):
    assert f"    {command}\n" in (ROOT / "README.md").read_text("utf-8")
