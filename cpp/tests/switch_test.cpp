// A switch, its lanes and its readers.
#include <poll.h>

#include <future>
#include <string>
#include <vector>

#include "place.hpp"

using framelane::Error;
using framelane::ErrorKind;
using framelane::Producer;
using framelane::Switch;
using framelane::SwitchController;

class Switches : public Lane {
 protected:
  Switches()
      : day(Producer::create("day", small())),
        night(Producer::create("night", small())),
        controller(control({"day", "night"})) {}

  SwitchController control(const std::vector<std::string>& lanes) const {
    framelane::SwitchControllerOptions options;
    options.directory = place;
    return SwitchController::create("switch", lanes, options);
  }
  Switch follow() const {
    auto options = reading();
    options.leases = 2;
    return Switch::open("switch", options);
  }

  Producer day;
  Producer night;
  SwitchController controller;
};

TEST_F(Switches, ASwitchShowsOnTheVeryNextFrame) {
  auto reader = follow();
  publish(day, 1);
  auto first = reader.next(deadline);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->switch_epoch(), 1U);
  EXPECT_EQ(first->lane_index(), 0U);
  EXPECT_FALSE(first->switched());
  EXPECT_EQ(controller.select("night"), 2U);
  publish(day, 2);
  publish(night, 3);
  auto second = reader.next(deadline);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->plane(0)[0], 3);
  EXPECT_EQ(second->switch_epoch(), 2U);
  EXPECT_EQ(second->lane_index(), 1U);
  EXPECT_TRUE(second->switched());
  EXPECT_EQ(first->plane(0)[0], 1) << "a frame of the other lane stays";
  const framelane::Frame moved = std::move(*second);
  EXPECT_TRUE(moved.switched());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.held(), 2U);
  first.reset();
  auto newest = reader.latest();
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->sequence(), moved.sequence());
  EXPECT_EQ(reader.received(), 2U);
  EXPECT_EQ(reader.missed() + reader.dropped(), 0U);
  EXPECT_EQ(reader.switches(), 1U);
}

TEST_F(Switches, ASleepingReaderIsWokenByASwitch) {
  auto reader = follow();
  publish(night, 7);
  auto reading = std::async(std::launch::async, [&] { return reader.next(deadline); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  controller.select(1);
  auto frame = reading.get();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->plane(0)[0], 7);
}

TEST_F(Switches, TheDescriptorTellsOfASwitch) {
  auto reader = follow();
  publish(night, 7);
  pollfd watched{reader.fd(), POLLIN, 0};
  ASSERT_GE(watched.fd, 0);
  while (poll(&watched, 1, 0) == 1) ASSERT_FALSE(reader.next()) << "nothing of the active lane";
  controller.select(1);
  ASSERT_EQ(poll(&watched, 1, 20'000), 1);
  EXPECT_TRUE(reader.wait(deadline));
  EXPECT_TRUE(reader.next());
}

TEST_F(Switches, AChoiceStandsAgainstAPolicy) {
  EXPECT_TRUE(controller.propose(1));
  EXPECT_FALSE(controller.held());
  const auto selected = framelane::select_lane("switch", "day", deadline, place);
  EXPECT_EQ(selected.active, 0U);
  EXPECT_EQ(selected.switch_epoch, 3U);
  EXPECT_TRUE(controller.held());
  EXPECT_FALSE(controller.propose(1));
  EXPECT_EQ(controller.active(), 0U);
  EXPECT_EQ(framelane::set_switch_automatic("switch", deadline, place).active, 0U);
  EXPECT_TRUE(controller.propose(1));
  EXPECT_EQ(controller.wait_switched(3, deadline), 4U);
  EXPECT_EQ(controller.wait_switched(4, std::chrono::milliseconds(1)), 4U);
  EXPECT_EQ(framelane::select_index("switch", 0, deadline, place).switch_epoch, 5U);
  EXPECT_TRUE(controller.held());
  Error error;
  EXPECT_EQ(framelane::try_select_index("switch", 0, deadline, place, error)->active, 0U);
  EXPECT_TRUE(framelane::try_set_switch_automatic("switch", deadline, place, error));
  EXPECT_FALSE(error) << error.what();
  EXPECT_FALSE(controller.held());
  const auto report = controller.report();
  EXPECT_EQ(report.switch_report.member_count, 2U);
  EXPECT_EQ(report.switch_report.switches, 4U);
}

TEST_F(Switches, TheReaderSaysHowTheSwitchIs) {
  auto reader = follow();
  auto status = reader.status();
  EXPECT_TRUE(status.controlled);
  EXPECT_EQ(status.controller_epoch, controller.epoch());
  EXPECT_EQ(status.active, 0U);
  ASSERT_EQ(status.lanes.size(), 2U);
  EXPECT_EQ(status.lanes[1].name, "night");
  EXPECT_TRUE(status.lanes[1].attached);
  EXPECT_EQ(status.lanes[1].problem, ErrorKind::Ok);
  EXPECT_EQ(controller.readers(), 1U);
  controller.close();
  EXPECT_TRUE(until([&] {
    reader.next();
    return !reader.status().controlled;
  }));
  publish(day, 5);
  EXPECT_TRUE(reader.next(deadline)) << "it goes on with the lane that was active";
}

TEST_F(Switches, WrongCallsAreRefused) {
  Error error;
  EXPECT_FALSE(controller.try_select(2, error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_FALSE(controller.try_select("dusk", error));
  EXPECT_NE(std::string(error.what()).find("day, night"), std::string::npos) << error.what();
  EXPECT_FALSE(framelane::try_select_lane("switch", "dusk", deadline, place, error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of([&] { framelane::select_lane("switch", {}, deadline, place); }),
            ErrorKind::InvalidName)
      << "no name is no lane";
  for (const std::size_t index : {std::size_t{2}, std::size_t(-1)}) {
    EXPECT_FALSE(framelane::try_select_index("switch", index, deadline, place, error));
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  }
  EXPECT_FALSE(framelane::try_select_lane("day", "day", deadline, place, error));
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  EXPECT_FALSE(framelane::try_set_switch_automatic("day", deadline, place, error));
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  framelane::SwitchControllerOptions elsewhere;
  elsewhere.directory = place;
  EXPECT_FALSE(SwitchController::try_create("other", {}, elsewhere, error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of([&] { control({"day"}); }), ErrorKind::AlreadyExists);
  EXPECT_EQ(kind_of([&] { Switch::open("day", reading()); }), ErrorKind::Unsupported);
  EXPECT_FALSE(Switch::try_open("nobody", reading(), error));
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  auto reader = follow();
  const auto closer = reader.closer();
  closer.close();
  EXPECT_EQ(kind_of([&] { reader.next(deadline); }), ErrorKind::Closed);
  reader.close();
  EXPECT_FALSE(reader.try_next(error));
  EXPECT_EQ(error.kind(), ErrorKind::Closed);
  EXPECT_EQ(reader.fd(), -1);
  controller.close();
  EXPECT_EQ(kind_of([&] { controller.select(0); }), ErrorKind::Closed);
}
