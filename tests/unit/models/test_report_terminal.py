"""The report in a terminal: everything is there and readable, with 80 columns and with more."""

import io
import re
from dataclasses import replace

import pytest
import sample_reports
from rich.console import Console

from satchel_models.report import Steps, compare, show, show_levels
from satchel_models.results import Estimate


def printed(report, width=80, **options):
    console = Console(file=io.StringIO(), width=width, **options)
    show(report, console)
    return console.file.getvalue()


def words(text):
    """The text without line breaks and alignment, so that a promise is found across them."""
    return re.sub(r"\s+", " ", text)


@pytest.fixture(params=[80, 160])
def width(request):
    return request.param


def test_no_line_is_longer_than_the_terminal(width):
    report = sample_reports.label(warnings=("x" * 300,), model="m" * 200)
    assert max(len(line.rstrip()) for line in printed(report, width).splitlines()) <= width


def test_nothing_is_cut_off(width):
    report = sample_reports.label()
    text = printed(report, width)
    assert "…\n" not in text.replace(" ", "")
    joined = re.sub(r"\s+", "", text)
    for measured in report.candidates:
        assert measured.candidate.name[:12] in joined
        assert measured.why.replace(" ", "") in joined


def test_every_figure_of_the_chosen_one_is_there(width):
    found = words(printed(sample_reports.label(), width))
    for figure in ("4.84", "74 %", "47.6", "26.8", "1.02×", "0.99…1.05", "14.2", "43.4", "-0.10"):
        assert figure in found
    assert "-0.45…+0.25" in found
    assert "onnxruntime" in found


def test_the_chosen_one_comes_first_and_float32_next(width):
    table = printed(sample_reports.label(), width).split("Candidates")[1]
    names = re.findall(r"(?m)^ *[✔◆]* +((?:int|float)[\w-]+)", table)
    assert names[:2] == ["int8-weights", "float32"]


def test_the_headline_says_it_in_words():
    found = words(printed(sample_reports.label()))
    assert "int8-weights was chosen: 4.84 MB instead of 18.6 MB, 74 % smaller." in found
    assert "as fast as float32" in found
    assert "-0.10 points (95 % interval -0.45 to +0.25) on 333 samples" in found


def test_what_is_faster_is_called_faster():
    found = words(printed(sample_reports.minilm()))
    assert "1.58 times as fast as float32" in found
    assert "Geometric means over 16 tokens, 64 tokens and 256 tokens." in found


def test_a_warning_stands_before_everything_else(width):
    text = printed(sample_reports.label(warnings=("Calibrated on noise.",)), width)
    assert "Warning" in text.splitlines()[0]
    assert text.index("Calibrated on noise.") < text.index("was chosen")


def test_passes_and_what_was_rejected_are_told(width):
    found = words(printed(sample_reports.label(), width))
    assert "fuse_bn_into_conv 598 412 2.4e-6" in found
    assert "onnxruntime-web can't load it: NCHWc kernels are missing." in found
    assert "Kept in float, since they cost most as int8: _blocks.0._depthwise_conv.weight" in found


def test_a_pass_that_was_undone_is_called_so(width):
    found = words(printed(sample_reports.label(), width))
    assert "gelu 398 398 undone" in found


def test_notes_and_data_are_told(width):
    report = sample_reports.label()
    found = words(printed(report, width))
    for note in (*report.converted.notes, *report.graph.notes, *report.notes):
        assert note in found
    assert "Data: 1,000 photos with labels." in found


def test_an_accuracy_that_cannot_be_told_says_why_and_shows_likeness(width):
    report = sample_reports.unlabelled()
    found = words(printed(report, width))
    assert f"{report.accuracy_reason} Agreement with the original: 97.9 % on 333 sam" in found
    assert "86.2 %" in found.split("Candidates")[1]
    assert "agreement" in found.split("Candidates")[1]


def test_engines_stand_beside_each_other_with_downloads_and_the_winners_lead(width):
    report = sample_reports.two_engines()
    found = words(printed(report, width))
    assert "litert-int8-static on LiteRT was chosen: 5.35 MB instead of 18.6 MB" in found
    assert "Its time beside that of int8-weights, the best on ONNX Runtime: 0.41 times" in found
    table = found.split("Engines")[1]
    for figure in ("2.47 MB", "7.82 MB", "2.56 MB", "7.40 MB", "0.41×", "0.39…0.43", "0.50×"):
        assert figure in table
    assert "Engines" not in printed(sample_reports.label(), width)


def test_an_engine_without_a_choice_says_so():
    report = sample_reports.two_engines()
    sentence = "None of LiteRT's candidates may be taken."
    onnxruntime = replace(report.engines[1], leads=())
    litert = replace(report.engines[0], chosen="", why=sentence)
    candidates = tuple(
        replace(one, chosen=one.chosen and one.engine == "onnxruntime") for one in report.candidates
    )
    report = replace(
        report,
        engines=(onnxruntime, litert),
        candidates=candidates,
        optimized_model_path=sample_reports.label().optimized_model_path,
    )
    found = words(printed(report))
    assert "int8-weights on ONNX Runtime was chosen" in found
    assert sentence in found


def test_float32_can_be_what_remains():
    report = sample_reports.label()
    candidates = tuple(
        replace(one, chosen=one.candidate.name == "float32") for one in report.candidates
    )
    path = report.compiled[0].file
    report = replace(report, candidates=candidates, optimized_model_path=path)
    found = words(printed(report))
    assert "float32 stays, with 18.6 MB: nothing smaller was as fast and within the 0.5 po" in found


def test_figures_that_are_missing_are_dashes_not_errors(width):
    report = sample_reports.label(rejected=(), sensitivities=(), compiled=())
    nan = Estimate(float("nan"), float("nan"), float("nan"))
    bare = tuple(replace(one, timings=(), creation_ms=(), speed=nan) for one in report.candidates)
    text = printed(replace(report, candidates=bare), width)
    assert "nan" not in text
    assert "–" in text


def test_a_name_is_no_markup():
    assert "[red]evil[/nothing]" in printed(sample_reports.label(model="[red]evil[/nothing]"))


def test_a_name_moves_no_cursor():
    evil = "a\x1b[2J\u202eb\n"
    text = printed(sample_reports.label(model=evil, warnings=(evil,), notes=(evil,)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("a\ufffd[2J\ufffdb\ufffd") == 3


def test_an_old_terminal_gets_plain_marks():
    old = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    show(sample_reports.label(), Console(file=old, width=80))
    old.seek(0)
    assert re.search(r"\*o\W+int8-weights", old.read())


def test_levels_stand_beside_each_other(width):
    fast = sample_reports.label("fast")
    balanced = sample_reports.label("balanced")
    fast = replace(
        fast,
        graph=replace(fast.graph, passes=fast.graph.passes[:6]),
        candidates=fast.candidates[:3],
    )
    console = Console(file=io.StringIO(), width=width)
    show_levels(compare([balanced, fast]), console)
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert text.index("fast") < text.index("balanced")
    assert "it also runs onnxruntime extended; it leaves 61 nodes instead of 94" in words(text)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def lines(console):
    return console.file.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_thing_done(clock):
    console = Console(file=io.StringIO(), width=80)
    with Steps(console, clock=clock) as steps:
        steps.kept("onnx_conversion")
        steps.step("graph_optimization")
        clock.now += 2
        steps.told("onnxslim", 0.25)
        steps.told("onnxslim", 0.5)
        clock.now += 2
        steps.done("94 nodes")
    assert lines(console) == [
        "[1/5] Convert: kept from an earlier run",
        "[2/5] Optimise graph",
        "[2/5] Optimise graph: onnxslim (25 %, 2.0 s of about 8.0 s)",
        "[2/5] Optimise graph: done in 4.0 s, 94 nodes",
    ]


def test_a_pipe_hears_of_something_slow_again_and_again(clock):
    console = Console(file=io.StringIO(), width=80)
    with Steps(console, clock=clock) as steps:
        steps.step("validation")
        for second in range(31):
            clock.now = float(second)
            steps.told("measuring", second / 60)
    assert sum("measuring" in line for line in lines(console)) == 4


def test_what_a_step_tells_moves_no_cursor(clock):
    console = Console(file=io.StringIO(), width=80)
    with Steps(console, clock=clock) as steps:
        steps.step("validation")
        steps.told("a\x1b[2J", None)
    assert "a\ufffd[2J" in lines(console)[1]


def test_what_it_took_before_is_expected_until_more_is_known(clock):
    console = Console(file=io.StringIO(), width=80)
    with Steps(console, clock=clock, expected={"validation": 200.0}) as steps:
        steps.step("validation")
        clock.now = 10.0
        steps.told("starting a browser", None)
        steps.told("measuring", 0.5)
    assert "starting a browser (10 s of about 3 min 20 s)" in lines(console)[1]
    assert "measuring (50 %, 10 s of about 20 s)" in lines(console)[2]


@pytest.mark.parametrize(
    ("error", "word"), [(KeyboardInterrupt, "stopped"), (ValueError, "failed")]
)
def test_a_step_that_does_not_end_well_is_not_called_done(clock, error, word):
    console = Console(file=io.StringIO(), width=80)

    def run():
        with Steps(console, clock=clock) as steps:
            steps.step("quantization")
            raise error

    with pytest.raises(error):
        run()
    assert lines(console)[-1] == f"[3/5] Quantise: {word}"


def test_a_terminal_shows_the_running_step_and_keeps_the_finished_ones(clock):
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with Steps(console, clock=clock) as steps:
        steps.step("quantization")
        steps.told("calibrating on [photos]", 0.4)
        steps._live.refresh()
        steps.done("9 candidates")
    text = console.file.getvalue()
    before, after = text.split("[3/5] Quantise: done")
    assert "calibrating on [photos]" in before
    assert "calibrating" not in after
    assert "[3/5] Quantise: done in 0.0 s, 9 candidates" in text
    assert "\x1b[?25h" in text  # the cursor is back
