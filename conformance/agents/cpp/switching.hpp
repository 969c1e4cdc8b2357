// The commands of both sides of a switch.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "line.hpp"
#include "pixels.hpp"

class Switching {
 public:
  void create(const Line& line, std::ostream& out) {
    std::vector<std::string> lanes(1);
    for (const char letter : line.need_text("lanes")) {
      if (letter == ',') {
        lanes.emplace_back();
      } else {
        lanes.back() += letter;
      }
    }
    framelane::SwitchControllerOptions options;
    options.active = line.get<std::uint32_t>("active").value_or(0);
    controller_ = framelane::SwitchController::create(line.need_text("switch"), lanes, options);
    out << " epoch=" << controller_->epoch();
  }

  void select(const Line& line, std::ostream& out) {
    const auto lane = line.text("lane");
    out << " switch_epoch=";
    out << (lane ? controller().select(*lane)
                 : controller().select(line.need<std::size_t>("index")));
  }

  void propose(const Line& line, std::ostream& out) {
    out << " active=" << controller().propose(line.need<std::size_t>("index"));
  }

  void set_automatic(const Line&, std::ostream&) { controller().set_automatic(); }

  void report(const Line&, std::ostream& out) {
    out << " active=" << controller().active() << " switch_epoch=" << controller().switch_epoch()
        << " held=" << controller().held() << " readers=" << controller().readers();
  }

  void close(const Line&, std::ostream&) {
    controller();
    controller_.reset();
  }

  void open(const Line& line, std::ostream&) {
    using framelane::Mode;
    framelane::ConsumerOptions options;
    const auto mode = line.choice<Mode>("mode", {{"latest", Mode::Latest},
                                                 {"ordered", Mode::Ordered},
                                                 {"lossless", Mode::Lossless}});
    if (!mode) throw misunderstood("open_switch needs mode=");
    options.mode = *mode;
    options.wait_for_lane = line.time("wait_ms").value_or(options.wait_for_lane);
    reader_ = framelane::Switch::open(line.need_text("switch"), options);
  }

  void next(const Line& line, std::ostream& out) {
    const auto frame = reader().next(line.need_time("timeout_ms"));
    if (!frame) throw Nothing();
    out << " sequence=" << frame->sequence() << " lane=" << frame->lane_index()
        << " switch_epoch=" << frame->switch_epoch() << " switched=" << frame->switched()
        << " crc=" << crc_text(frame->plane(0));
  }

  void status(const Line&, std::ostream& out) {
    reader().wait(framelane::Duration::zero());
    const auto status = reader().status();
    out << " active=" << (status.active ? static_cast<long>(*status.active) : -1)
        << " switch_epoch=" << status.switch_epoch << " controlled=" << status.controlled
        << " received=" << reader().received() << " switches=" << reader().switches();
  }

  void leave(const Line&, std::ostream&) {
    reader();
    reader_.reset();
  }

  void ask(const Line& line, std::ostream& out) {
    const auto name = line.need_text("switch");
    const auto timeout = line.need_time("timeout_ms");
    const auto lane = line.text("lane");
    const auto made = lane ? framelane::select_lane(name, *lane, timeout)
                           : framelane::set_switch_automatic(name, timeout);
    out << " active=" << made.active << " switch_epoch=" << made.switch_epoch;
  }

 private:
  framelane::SwitchController& controller() {
    if (!controller_) throw misunderstood("there is no controller");
    return *controller_;
  }
  framelane::Switch& reader() {
    if (!reader_) throw misunderstood("there is no reader of a switch");
    return *reader_;
  }

  std::optional<framelane::SwitchController> controller_;
  std::optional<framelane::Switch> reader_;
};
