"""The commands of `build.py`. Each one is a few lines: the work is done by the modules it calls."""

import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators
from cyclopts.help import PlainFormatter
from rich.console import Console

from builder.errors import BuildError
from builder.paths import ROOT
from builder.progress import console, say

app = App(
    name="build.py",
    help="Satchel: AI models that people carry. Models in, one static folder out.",
    version_flags=[],
    help_formatter=PlainFormatter(),
    result_action="return_value",
)

SiteFile = Annotated[Path, Parameter(name="--site", help="The site's description.")]
JsonFile = Annotated[
    Path | None, Parameter(name="--json", help="Also write the report to this file.")
]


@app.command
def serve(
    *,
    port: Annotated[
        int, Parameter(help="On 127.0.0.1.", validator=validators.Number(gte=0, lte=65535))
    ] = 8000,
    no_open: Annotated[
        bool, Parameter(negative="", help="Print the address, open no browser.")
    ] = False,
    plain: Annotated[
        bool, Parameter(negative="", help="Imitate a host that sends no headers.")
    ] = False,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Build what is missing and serve the page on this machine."""
    from builder import bundle, server
    from builder.site import load

    folder = bundle.build(load(site), ROOT / "dist")

    def ready(url: str) -> None:
        say(f"Serving {url} (Ctrl-C stops)")
        if not no_open:
            # Beside the server: a browser in the terminal would otherwise hold it up.
            threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()

    server.serve(folder, port, plain=plain, ready=ready)


@app.command
def build(
    *,
    out: Annotated[Path, Parameter(help="Where to.")] = ROOT / "dist",
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Make the static folder."""
    from builder import bundle
    from builder.site import load

    bundle.build(load(site), out)


@app.command(name="test")
def run_tests(
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True, help="For pytest.")],
    everything: Annotated[
        bool, Parameter(name="--all", negative="", help="Also what needs PyTorch.")
    ] = False,
    quick: Annotated[bool, Parameter(negative="", help="Only what needs no browser.")] = False,
) -> int:
    """Run the tests that this machine's tools allow."""
    from builder import testing

    return testing.run(everything=everything, quick=quick, arguments=arguments)


@app.command
def lint(
    *, fix: Annotated[bool, Parameter(negative="", help="Mend what the tools can.")] = False
) -> int:
    """Check format, lint, types, JavaScript, CSS and HTML."""
    from builder import lint as checks

    return 0 if checks.run(fix=fix) else 1


@app.command
def models(
    *, rebuild: Annotated[str | None, Parameter(help="Make this recipe's artefact again.")] = None
) -> None:
    """List the recipes and their artefacts."""
    from builder import rebuild as recipes

    if rebuild is None:
        # To stdout: it is the command's answer, not a word about its progress.
        Console(width=None if sys.stdout.isatty() else 200).print(recipes.listing())
    else:
        recipes.rebuild(rebuild)


@app.command
def evaluate(
    model: Annotated[str, Parameter(name="ID", help="The recipe.")],
    *,
    data: Annotated[
        Path | None, Parameter(help="Images with labels.csv, or a CSV of sentence pairs.")
    ] = None,
    variant: Annotated[str | None, Parameter(help="Not the first one, but this.")] = None,
    json: JsonFile = None,
) -> None:
    """Measure a model's accuracy in the real browser."""
    from builder import evaluate as evaluation

    evaluation.run(model, data=data, variant=variant, json=json)


bench = App(name="bench", help="Measure, side by side.", help_formatter=PlainFormatter())
app.command(bench)


@bench.command
def inference(
    *,
    json: JsonFile = None,
    only: Annotated[
        Literal["label", "minilm", "memory"] | None, Parameter(help="Measure this part alone.")
    ] = None,
) -> None:
    """Compare an inference through Satchel with plain JavaScript and transformers.js."""
    from builder.bench import inference as measurement

    measurement.run(json=json, only=only)


@bench.command
def startup(
    *,
    json: JsonFile = None,
    opens: Annotated[
        int, Parameter(help="How often each page is opened.", validator=validators.Number(gte=1))
    ] = 11,
    only: Annotated[
        Literal["label", "minilm", "phases", "firstvisit"] | None,
        Parameter(help="Measure this part alone."),
    ] = None,
) -> None:
    """Compare the way from opening the page to its first answer."""
    from builder.bench import startup as measurement

    measurement.run(json=json, opens=opens, only=only)


@app.command
def screenshots(
    *, out: Annotated[Path, Parameter(help="Where to.")] = ROOT / "test-results/screenshots"
) -> None:
    """Photograph every view: 1280 and 390 pixels wide, light and dark."""
    from builder import screenshots as photographer

    photographer.run(out)


def main() -> None:
    """Run a command line; exit with 1 and one sentence where something can't be done."""
    try:
        status = app(sys.argv[1:])
    except BuildError as error:
        console.print(f"build.py: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
