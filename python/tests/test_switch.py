"""Switches: several lanes behind one name."""

import asyncio
import select as selecting
import threading
import time
from collections.abc import Callable, Iterator

import framelane
import pytest
from conftest import DEADLINE, publish


@pytest.fixture
def day() -> Iterator[framelane.Producer]:
    with framelane.Producer("day", "grey", 16, 4) as producer:
        yield producer


@pytest.fixture
def night() -> Iterator[framelane.Producer]:
    with framelane.Producer("night", "grey", 16, 4) as producer:
        yield producer


@pytest.fixture
def controller(
    day: framelane.Producer, night: framelane.Producer
) -> Iterator[framelane.SwitchController]:
    with framelane.SwitchController("switch", ["day", "night"]) as controller:
        yield controller


def becomes(switch: framelane.Switch, holds: Callable[[], bool]) -> None:
    """Something comes true in time while the switch is read."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end
        switch.read(0.02)


def following(switch: framelane.Switch) -> framelane.Frame:
    frame = switch.read(DEADLINE)
    assert frame is not None
    return frame


def test_a_switch_shows_on_the_very_next_frame(
    day: framelane.Producer,
    night: framelane.Producer,
    controller: framelane.SwitchController,
) -> None:
    with framelane.Switch("switch") as switch:
        publish(day, 1)
        first = following(switch)
        assert (first.lane_index, first.switch_epoch, first.switched) == (0, 1, False)
        assert controller.select("night") == 2
        publish(day, 2)
        publish(night, 3)
        second = following(switch)
        assert (second.lane_index, second.switch_epoch, second.switched) == (1, 2, True)
        assert (int(first.array[0, 0]), int(second.array[0, 0])) == (1, 3)
        assert switch.try_next() is None
        first.release()
        newest = switch.read_latest()
        assert newest is not None and newest.sequence == second.sequence
        newest.release()
        assert switch.read_latest(max_age=0.0) is None
        assert (switch.received, switch.missed, switch.dropped, switch.switches) == (2, 0, 0, 1)
        assert (switch.active, switch.switch_epoch, switch.controlled) == (1, 2, True)
        assert switch.lanes == [("day", True), ("night", True)]
        assert switch.controller_epoch == controller.epoch != 0
        assert (switch.problem, switch.lane_problems) == (None, [None, None])
        assert controller.readers == 1
        told = controller.report()
        assert (told.switch_report.switches, told.switch_report.member_count) == (1, 2)
        assert (told.epoch, told.consumer_count) == (controller.epoch, 1)
    assert switch.closed


def test_a_switch_wakes_a_waiting_read(
    night: framelane.Producer, controller: framelane.SwitchController
) -> None:
    publish(night, 7)
    with framelane.Switch("switch") as switch:
        timer = threading.Timer(0.05, controller.select, [1])
        timer.start()
        assert int(following(switch).array[0, 0]) == 7
        timer.join()


def test_a_poller_hears_of_a_switch(
    night: framelane.Producer, controller: framelane.SwitchController
) -> None:
    publish(night, 7)
    with framelane.Switch("switch") as switch:
        while selecting.select([switch], [], [], 0)[0]:
            assert switch.try_next() is None
        controller.select(1)
        assert selecting.select([switch], [], [], DEADLINE)[0]
        assert switch.wait(DEADLINE)
        assert switch.try_next() is not None


def test_asyncio(night: framelane.Producer, controller: framelane.SwitchController) -> None:
    async def first(switch: framelane.Switch) -> int:
        reading = asyncio.create_task(switch.read_async(DEADLINE))
        await asyncio.sleep(0.02)
        controller.select(1)
        frame = await reading
        assert frame is not None
        assert int(frame.array[0, 0]) == 7
        publish(night, 8)
        async with asyncio.timeout(DEADLINE):
            async for another in switch:
                return int(another.array[0, 0])
        return 0

    with framelane.Switch("switch") as switch:
        publish(night, 7)
        assert asyncio.run(first(switch)) == 8


def test_asyncio_waits_for_a_frame(
    day: framelane.Producer, controller: framelane.SwitchController
) -> None:
    async def first(switch: framelane.Switch) -> int:
        loop = asyncio.get_running_loop()
        loop.call_later(0.02, publish, day, 5)
        async with asyncio.timeout(DEADLINE):
            async for frame in switch:
                return int(frame.array[0, 0])
        return 0

    with framelane.Switch("switch") as switch:
        assert asyncio.run(first(switch)) == 5


def test_a_choice_stands_against_a_policy(controller: framelane.SwitchController) -> None:
    assert controller.propose(1) and not controller.held
    assert framelane.select("switch", "day") == (0, 3)
    assert controller.held and not controller.propose(1)
    assert framelane.select("switch", 1) == (1, 4)
    assert framelane.select("switch", None) == (1, 4)
    assert controller.propose(0) and controller.active == 0
    assert controller.wait_switched(4, DEADLINE) == controller.switch_epoch == 5
    assert controller.wait_switched(5, 0.01) == 5
    controller.select(0)
    controller.set_automatic()
    assert not controller.held
    assert framelane.query("switch").consumer_count == 0


def test_a_dead_controller_is_carried_on_without(
    day: framelane.Producer, controller: framelane.SwitchController
) -> None:
    with framelane.Switch("switch") as switch:
        controller.close()
        assert controller.closed
        becomes(switch, lambda: not switch.controlled)
        publish(day, 1)
        assert following(switch).switch_epoch == 1
        with framelane.SwitchController("switch", ["night", "day"], active=1) as another:
            becomes(switch, lambda: switch.controlled)
            publish(day, 2)
            frame = following(switch)
            assert (frame.lane_index, frame.switched) == (1, False)
            assert switch.controller_epoch == another.epoch != 0


def test_a_close_reaches_who_waits_for_a_switch(controller: framelane.SwitchController) -> None:
    kinds = []

    def wait() -> None:
        with pytest.raises(framelane.Error) as closed:
            controller.wait_switched(controller.switch_epoch, DEADLINE)
        kinds.append(closed.value.kind)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.02)
    controller.close()
    with framelane.SwitchController("switch", ["day"]) as another:
        assert another.switch_epoch == 1
    waiting.join(DEADLINE)
    assert kinds == [framelane.ErrorKind.CLOSED]
    controller.close()


def test_a_lane_that_cannot_be_attached_to_says_why(
    day: framelane.Producer, night: framelane.Producer
) -> None:
    with (
        framelane.SwitchController("odd", ["night"]),
        framelane.SwitchController("other", ["day", "odd"]),
        framelane.Switch("other") as switch,
    ):
        becomes(switch, lambda: switch.lane_problems[1] is not None)
        problem = switch.lane_problems[1]
        assert problem is not None and problem.kind == framelane.ErrorKind.UNSUPPORTED
        assert switch.lane_problems[0] is None and switch.problem is None
        assert switch.lanes == [("day", True), ("odd", False)]


def test_wrong_calls_say_what_is_wrong(controller: framelane.SwitchController) -> None:
    for call in (
        lambda: controller.select(2),
        lambda: controller.select("dusk"),
        lambda: framelane.select("switch", "dusk"),
        lambda: framelane.SwitchController("other", []),
        lambda: framelane.SwitchController("other", ["day"], active=1),
    ):
        with pytest.raises(framelane.InvalidArgumentError):
            call()
    with pytest.raises(framelane.NotFoundError):
        framelane.Switch("nobody")
    with pytest.raises(framelane.Error, match="is no|is a frame lane") as caught:
        framelane.Switch("day")
    assert caught.value.kind == framelane.ErrorKind.UNSUPPORTED
    with pytest.raises(framelane.Error, match="open it with a Switch"):
        framelane.Consumer("switch")
    with framelane.Switch("switch") as switch:
        threading.Timer(0.05, switch.close).start()
        with pytest.raises(framelane.Error) as closed:
            switch.read(DEADLINE)
        assert closed.value.kind == framelane.ErrorKind.CLOSED
    controller.close()
    with pytest.raises(framelane.Error):
        controller.select(0)
