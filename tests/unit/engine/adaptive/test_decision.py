"""What is decided on devices in known states, and the sentence that says why."""

from dataclasses import replace

import pytest
from situations import LABEL, STRATEGIES, WELL, latencies

from satchel.adaptive import Latencies, Option, Work, decide
from satchel.adaptive.limits import BATTERY_CALM, BESIDE, COOL_CALM, DWELL
from satchel.device import DeviceProfile

LOW = replace(WELL, battery_level=0.14)
SERIOUS, CRITICAL = (replace(WELL, pressure=name) for name in ("serious", "critical"))
FULL = ("full", 224)
LIGHT = ("lightweight", 192)
THROTTLED = ("throttled", 224)


def decided(profile, priority="balanced", options=LABEL, *, seen=None, queue=1, **rest):
    rest = {"now": 0.0, "unit": "photo"} | rest
    seen = seen or Latencies()
    return decide(profile, priority, options, latencies=seen, queue=queue, **rest)


def short(decision):
    return decision.strategy, decision.resolution


class Following:
    """Decisions one after the other, as on one device."""

    def __init__(self, priority="balanced"):
        self.priority, self.state = priority, None

    def at(self, now, profile, **rest):
        decision, self.state = decided(profile, self.priority, before=self.state, now=now, **rest)
        return short(decision)


def test_a_low_battery_is_answered_with_less_work_and_a_reason_with_figures():
    decision, _ = decided(LOW)
    assert short(decision) == LIGHT
    assert (decision.variant, decision.engine) == ("litert-int8-static@192", "litert")
    assert decision.threads == 1
    assert decision.reason == (
        "Battery at 14 % and not charging: the 192 px model on one thread,"
        " 29 % less work per photo."
    )
    assert not decision.extras
    assert not decision.ahead
    assert not decision.downloads


def test_figures_are_the_options_and_not_prose():
    slower = (LABEL[0], replace(LABEL[1], cpu_seconds=LABEL[0].cpu_seconds * 0.77), LABEL[2])
    assert "23 % less work per photo" in decided(LOW, options=slower)[0].reason


@pytest.mark.parametrize(
    ("profile", "priority", "expected"),
    [
        (WELL, "speed", ("full", 192)),
        (WELL, "balanced", FULL),
        (WELL, "quality", FULL),
        (WELL, "energy", ("lightweight", 160)),
        (LOW, "speed", LIGHT),
        (LOW, "balanced", LIGHT),
        (LOW, "quality", ("lightweight", 224)),
        (LOW, "energy", ("lightweight", 160)),
        (replace(LOW, charging=True), "balanced", FULL),
        (replace(LOW, charging=None), "balanced", LIGHT),
        (replace(LOW, battery_powered=False), "balanced", FULL),
        (replace(LOW, battery_level=None), "balanced", FULL),
        (replace(LOW, battery_level=0.20), "balanced", LIGHT),
        (replace(LOW, battery_level=0.21), "balanced", FULL),
        (replace(WELL, pressure="fair"), "balanced", FULL),
        (SERIOUS, "balanced", THROTTLED),
        (CRITICAL, "balanced", THROTTLED),
        (replace(CRITICAL, battery_level=0.1), "balanced", ("throttled", 192)),
        (replace(WELL, memory_gib=2), "balanced", LIGHT),
        (replace(WELL, memory_gib=4), "balanced", FULL),
        (DeviceProfile(), "balanced", FULL),
    ],
)
def test_the_strategy_and_the_size(profile, priority, expected):
    assert short(decided(profile, priority)[0]) == expected


def test_full_effort_has_the_threads_that_help():
    assert decided(WELL)[0].threads == 4
    assert decided(replace(WELL, cpu_cores=2))[0].threads == 2
    assert decided(replace(WELL, isolated=False))[0].threads == 1
    assert decided(WELL, threads=3)[0].threads == 3
    assert decided(replace(WELL, cpu_cores=2), threads=3)[0].threads == 2
    assert decided(DeviceProfile())[0].threads == 1
    assert decided(DeviceProfile(), threads=2)[0].threads == 2


def test_pressure_gives_the_device_rests_that_keep_a_share_of_one_core():
    for profile, share in ((SERIOUS, 0.5), (CRITICAL, 0.25)):
        decision, _ = decided(profile, seen=latencies(ms=40), queue=5)
        busy = decision.batch * 0.040
        assert decision.cpu_target == share
        assert BESIDE * busy / (busy + decision.delay) == pytest.approx(share)
        assert decision.batch == 5
    assert decision.reason == (
        "The processor is under critical load: the 224 px model on one thread,"
        " 0.8 s of rest after every 5 photos to use a quarter of one processor core."
    )


def test_a_batch_and_its_rest_end_soon_whatever_waits():
    for ms, queue in ((40, 1000), (400, 1000), (5000, 1000), (40, 0), (40, -1)):
        decision, _ = decided(CRITICAL, seen=latencies(ms=ms), queue=queue)
        assert decision.batch == 1 or decision.batch * ms / 1000 + decision.delay <= 2.0
        assert 1 <= decision.batch <= max(queue, 1)


def test_a_pace_without_measurements_follows_the_report_and_then_a_guess():
    half = BESIDE / 0.5 - 1
    assert decided(SERIOUS)[0].delay == pytest.approx(half * LABEL[0].latency_ms / 1000)
    unmeasured = (Option("a", "litert", None, 10),)
    assert decided(SERIOUS, options=unmeasured)[0].delay == pytest.approx(half * 0.1)


def test_slowness_without_a_sensor_counts_as_serious_pressure():
    decision, _ = decided(replace(WELL, pressure=None), seen=latencies(slow=True, ratio=1.62))
    assert decision.strategy == "throttled"
    assert decision.cpu_target == 0.5
    assert decision.reason.startswith("Answers take 1.6 times as long as usual, as on a hot")


def test_the_sentence_tells_how_slow_answers_were_before_the_rests():
    seen, option = latencies(slow=True, ratio=1.6), LABEL[0]
    for run in range(40):
        work = Work(option.variant, option.resolution, 1, rested=True)
        seen = seen.seen(work, 50 if run < 30 else 150, float(run))
    slow = decided(replace(WELL, pressure=None), seen=latencies(slow=True, ratio=1.6))[1]
    decision, _ = decided(replace(WELL, pressure=None), seen=seen, before=slow, now=1.0)
    assert decision.reason.startswith("Answers take 1.6 times as long as usual")


def test_rests_that_make_answers_slower_do_not_keep_themselves_up():
    """Others make the processor busy for a while; what rests is slower and wavers, for good."""
    device, seen, strategy, now, story = Following(), Latencies(), "full", 0.0, []
    profile = replace(WELL, pressure=None)
    while now < 300:
        rested = strategy == "throttled"
        wavering = 1.2 if now % 10 < 5 else 1.7
        ms = 50 * (1.6 if 30 <= now < 40 else 1.0) * (wavering if rested else 1.0)
        now += ms / 1000 * (2 if rested else 1)
        option = LABEL[0]
        seen = seen.seen(Work(option.variant, option.resolution, 1, 18, rested), ms, now)
        strategy, _ = device.at(now, profile, seen=seen)
        if not story or story[-1][0] != strategy:
            story.append((strategy, now))
    assert [strategy for strategy, _ in story] == ["full", "throttled", "full"]
    assert story[1][1] < 34
    assert story[2][1] < 75


MAINS = replace(CRITICAL, charging=True, cpu_cores=2)


def test_a_processor_that_the_own_work_makes_busy_is_no_reason_to_rest_on_mains():
    assert decided(MAINS, own=0.9)[0].strategy == "full"
    assert (
        decided(replace(MAINS, charging=None, battery_powered=False), own=0.9)[0]
        == (decided(replace(MAINS, pressure="nominal", charging=None, battery_powered=False))[0])
    )


@pytest.mark.parametrize(
    ("profile", "own"),
    [
        (MAINS, None),
        (MAINS, 0.7),  # others take more of it
        (replace(MAINS, cpu_cores=8), 1.0),
        (replace(MAINS, cpu_cores=None), 2.0),
        (replace(MAINS, charging=False), 2.0),
        (replace(MAINS, charging=None, battery_powered=None), 2.0),
    ],
)
def test_else_it_is_whoever_makes_it_busy(profile, own):
    assert decided(profile, own=own)[0].strategy == "throttled"


def test_slowness_is_a_reason_also_where_the_own_work_makes_the_processor_busy():
    slow = latencies(slow=True, ratio=1.6)
    assert decided(MAINS, own=2.0, seen=slow)[0].strategy == "throttled"


def test_a_hidden_page_prepares_nothing_and_says_so():
    decision, _ = decided(replace(WELL, visible=False))
    assert short(decision) == FULL
    assert not decision.ahead
    assert "can't be seen" in decision.notes[0]
    assert decided(WELL)[0].ahead
    assert decided(WELL)[0].notes == ()


@pytest.mark.parametrize("said", [{"metered": True}, {"save_data": True}, {"online": False}])
def test_nothing_is_fetched_unasked_where_it_may_cost_or_cannot_be(said):
    decision, _ = decided(replace(WELL, **said))
    assert not decision.downloads
    assert decision.ahead
    assert decided(WELL)[0].downloads


@pytest.mark.parametrize("override", STRATEGIES)
@pytest.mark.parametrize("profile", [WELL, LOW, CRITICAL, DeviceProfile()])
def test_what_a_person_insists_on_is_done(override, profile):
    decision, _ = decided(profile, override=override)
    assert decision.strategy == override
    if override == "full":
        assert short(decision) == FULL
        assert decision.reason == (
            f"You want full effort: the 224 px model on {decision.threads} threads."
            if decision.threads > 1
            else "You want full effort: the 224 px model on one thread."
        )
    if override == "lightweight":
        assert short(decision) == LIGHT


def test_the_device_is_followed_while_a_person_insists():
    device = Following()
    assert device.at(0, LOW, override="full") == FULL
    assert device.at(1, LOW) == LIGHT


def test_a_battery_that_runs_low_is_answered_at_once_and_a_charger_after_the_dwell_time():
    device = Following()
    assert device.at(0, WELL) == FULL
    assert device.at(1, LOW) == LIGHT
    charging = replace(LOW, charging=True)
    assert device.at(2, charging) == LIGHT
    assert device.at(1 + BATTERY_CALM - 0.01, charging) == LIGHT
    assert device.at(1 + BATTERY_CALM, charging) == FULL


def test_a_level_just_above_the_threshold_does_not_end_what_it_would_not_have_begun():
    device = Following()
    wavering = replace(WELL, battery_level=0.22)
    assert device.at(0, wavering) == FULL
    assert device.at(20, LOW) == LIGHT
    assert device.at(60, wavering) == LIGHT
    assert device.at(61, replace(WELL, battery_level=0.25)) == LIGHT
    assert device.at(60 + BATTERY_CALM, replace(WELL, battery_level=0.25)) == FULL


def test_pressure_ends_after_calm_and_each_return_asks_for_longer_calm():
    device, now = Following(), 100.0
    calm = COOL_CALM
    for _ in range(3):
        assert device.at(now, SERIOUS) == THROTTLED
        assert device.at(now + calm - 0.1, WELL) == THROTTLED
        assert device.at(now + calm, WELL) == FULL
        now, calm = now + calm + DWELL, 2 * calm
    later = now + 4 * calm
    assert device.at(later, SERIOUS) == THROTTLED
    assert device.at(later + COOL_CALM, WELL) == FULL


def test_a_second_condition_waits_for_the_dwell_time():
    device = Following()
    assert device.at(0, WELL) == FULL
    assert device.at(1, LOW) == LIGHT
    both = replace(LOW, pressure="critical")
    assert device.at(2, both) == LIGHT
    assert device.at(1 + DWELL, both) == ("throttled", 192)


def test_cores_and_memory_are_believed_when_they_stay():
    device = Following()
    small = replace(WELL, memory_gib=2)
    assert device.at(0, WELL) == FULL
    for now in range(1, 40):
        assert device.at(now, small if now % 2 else WELL) == FULL
    assert device.at(40, small) == FULL
    assert device.at(40 + DWELL, small) == LIGHT


BIG = Option("float32", "onnxruntime", None, 90_000_000, 200_000_000, 0.05, 50, 0.868)
INT8 = Option("int8", "onnxruntime", None, 23_000_000, 70_000_000, 0.06, 60, 0.866)


def test_a_variant_that_does_not_fit_is_passed_over_and_it_is_said():
    assert decided(WELL, options=(BIG, INT8))[0].variant == "float32"
    decision, _ = decided(replace(WELL, memory_gib=2), options=(BIG, INT8))
    assert decision.variant == "int8"
    assert "little memory" in decision.reason
    free = replace(WELL, memory_available=300_000_000)
    decision, _ = decided(free, options=(BIG, INT8))
    assert decision.variant == "int8"
    assert decision.strategy == "full"
    assert decision.reason.startswith("There is little free memory: the model")


def test_where_nothing_fits_the_smallest_is_taken():
    decision, _ = decided(replace(WELL, memory_gib=0.5), options=(BIG, INT8))
    assert decision.variant == "int8"


def test_what_broke_the_page_down_is_not_loaded_again():
    crashed = (replace(LABEL[0], crashed=True), *LABEL[1:])
    decision, _ = decided(WELL, options=crashed)
    assert short(decision) == ("full", 192)
    assert decision.reason == (
        "Loading the 224 px model ended this page last time: the 192 px model on 4 threads."
    )


def test_nor_is_anything_larger():
    options = (INT8, BIG, LABEL[2])
    crashed = (replace(INT8, crashed=True), *options[1:])
    assert decided(WELL, options=crashed)[0].variant == LABEL[2].variant


def test_what_is_not_here_is_not_chosen():
    away = (LABEL[0], replace(LABEL[1], available=False), LABEL[2])
    assert short(decided(LOW, "energy", away)[0]) == ("lightweight", 160)
    assert short(decided(LOW, "balanced", away)[0]) == ("lightweight", 224)


def test_without_figures_nothing_is_called_better():
    unmeasured = tuple(replace(one, cpu_seconds=None) for one in LABEL)
    decision, _ = decided(LOW, options=unmeasured)
    assert short(decision) == ("lightweight", 224)
    assert decision.reason == ("Battery at 14 % and not charging: the 224 px model on one thread.")


def test_a_bare_runtime_has_threads_and_pace_only():
    decision, _ = decided(CRITICAL, options=(), seen=latencies(ms=100), queue=2)
    assert (decision.variant, decision.engine, decision.resolution) == (None, None, None)
    assert (decision.threads, decision.batch) == (1, 2)
    assert decision.delay == pytest.approx(0.2 * (BESIDE / 0.25 - 1))


def test_a_more_accurate_option_for_less_work_is_for_everybody():
    options = (LABEL[0], replace(LABEL[1], accuracy=0.9))
    assert short(decided(WELL, options=options)[0]) == ("full", 192)


def test_a_battery_that_was_low_a_moment_ago_is_not_said_to_be_low():
    _, state = decided(LOW)
    decision, _ = decided(replace(WELL, charging=True), before=state, now=5.0)
    assert decision.reason.startswith("The battery was low until a moment ago: the 192 px")


def test_two_causes_are_both_said():
    decision, _ = decided(replace(CRITICAL, battery_level=0.1, memory_gib=1))
    assert decision.reason.startswith(
        "Battery at 10 % and not charging, and the processor is under critical load, and this"
        " device has little memory: the 192 px model on one thread, 29 % less work per photo,"
    )
