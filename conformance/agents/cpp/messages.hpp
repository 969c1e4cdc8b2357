// The commands of both sides of a shmbuf ring.
#pragma once

#include <cstdlib>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "line.hpp"
#include "pixels.hpp"

class Messages {
 public:
  void create(const Line& line, std::ostream& out) {
    framelane::ShmbufSenderOptions options;
    options.capacity_bytes = line.get<std::uint64_t>("capacity").value_or(0);
    options.keep = line.get<unsigned>("keep").value_or(0);
    options.bell = line.get<unsigned>("bell").value_or(0);
    options.directory = folder();
    sender_ = framelane::ShmbufSender::create(line.need_text("ring"), options);
    out << " capacity=" << sender_->capacity() << " longest=" << sender_->longest_message();
  }

  void send(const Line& line, std::ostream&) {
    std::vector<std::uint8_t> message(line.get<std::size_t>("size").value_or(0));
    fill(message, 0, line.get<std::uint64_t>("seed").value_or(0));
    if (!sender().send(message, time(line, "timeout_ms"))) throw Nothing();
  }

  void drain(const Line& line, std::ostream& out) {
    out << " drained=" << sender().drain(line.need_time("timeout_ms"));
  }

  void count_sent(const Line&, std::ostream& out) {
    out << " sent=" << sender().sent() << " full=" << sender().times_full()
        << " unread=" << sender().unread();
  }

  void close_sender(const Line&, std::ostream&) {
    sender();
    sender_.reset();
  }

  void open(const Line& line, std::ostream& out) {
    framelane::ShmbufReceiverOptions options;
    options.wait_for_sender = time(line, "wait_ms");
    options.reattach = line.get<unsigned>("reattach").value_or(1);
    options.bell = line.get<unsigned>("bell").value_or(0);
    options.directory = folder();
    receiver_ = framelane::ShmbufReceiver::open(line.need_text("ring"), options);
    out << " capacity=" << receiver_->capacity();
  }

  void receive(const Line& line, std::ostream& out) {
    std::vector<std::uint8_t> message;
    const auto room = line.get<std::size_t>("room");
    if (room) {
      message.resize(*room);
      const auto size = receiver().next_into(message, time(line, "timeout_ms"));
      if (!size) throw Nothing();
      message.resize(*size);
    } else if (!receiver().next(message, time(line, "timeout_ms"))) {
      throw Nothing();
    }
    out << " size=" << message.size() << " crc=" << crc_text(message);
  }

  void skip(const Line&, std::ostream&) {
    if (!receiver().skip()) throw Nothing();
  }

  void count_received(const Line&, std::ostream& out) {
    out << " received=" << receiver().received() << " empty=" << receiver().empty()
        << " restarts=" << receiver().restarts();
  }

  void close_receiver(const Line&, std::ostream&) {
    receiver();
    receiver_.reset();
  }

 private:
  static std::string folder() { return std::getenv("FRAMELANE_DIR"); }

  static framelane::Duration time(const Line& line, std::string_view key) {
    return line.time(key).value_or(framelane::Duration::zero());
  }

  framelane::ShmbufSender& sender() {
    if (!sender_) throw misunderstood("there is no ring");
    return *sender_;
  }
  framelane::ShmbufReceiver& receiver() {
    if (!receiver_) throw misunderstood("there is no receiver");
    return *receiver_;
  }

  std::optional<framelane::ShmbufSender> sender_;
  std::optional<framelane::ShmbufReceiver> receiver_;
};
