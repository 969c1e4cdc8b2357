// The commands of a producer.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <ostream>

#include "fields.hpp"
#include "pixels.hpp"

class Producing {
 public:
  void create(const Line& line, std::ostream& out) {
    auto [options, device] = this->options(line);
    auto producer = framelane::Producer::create(line.need_text("lane"), options);
    *this = Producing();
    layout_ = options.layout;
    producer_.emplace(std::move(producer));
    out << " epoch=" << producer_->epoch();
  }

  void publish(const Line& line, std::ostream& out) {
    auto frame = producer().claim();
    fill_frame(line, frame);
    out << " sequence=" << frame.publish();
  }

  void claim(const Line& line, std::ostream&) {
    const auto time = line.time("timeout_ms");
    auto frame = time ? producer().claim_within(*time) : producer().claim();
    claims_[key(line)] = std::move(frame);
  }

  void fill(const Line& line, std::ostream&) { fill_frame(line, claimed(key(line))); }

  void commit(const Line& line, std::ostream& out) {
    std::vector<framelane::FrameMut> frames;
    std::string_view rest = line.need_text("claims");
    for (bool more = true; more;) {
      const auto comma = rest.find(',');
      const auto index = number<unsigned>(rest.substr(0, comma));
      if (!index) throw misunderstood("claims are numbers");
      frames.push_back(std::move(claimed(*index)));
      claims_.erase(*index);
      more = comma != rest.npos;
      rest.remove_prefix(more ? comma + 1 : 0);
    }
    const bool alone = frames.size() == 1;
    out << " sequence=" << (alone ? frames[0].publish() : producer().publish_batch(frames));
  }

  void abandon(const Line& line, std::ostream&) {
    claimed(key(line)).abandon();
    claims_.erase(key(line));
  }

  void publish_external(const Line& line, std::ostream& out) {
    framelane::FrameInfo info{};
    if (layout_) layout_->apply(info);
    const auto buffer = line.get<std::int32_t>("buffer").value_or(0);
    for (auto& plane : info.planes) plane.buffer_index = buffer;
    apply(line, info);
    const auto owner = [tally = returned_](framelane::Returned frame) {
      tally->revoked += frame.revoked;
      ++tally->count;
    };
    out << " sequence=" << producer().publish_external(info, owner);
  }

  void returned(const Line&, std::ostream& out) {
    out << " count=" << returned_->count << " revoked=" << returned_->revoked;
  }

  void recall(const Line&, std::ostream&) { producer().recall(); }

  void report(const Line&, std::ostream& out) {
    const auto report = producer().report();
    out << " consumers=" << report.consumer_count << " published=" << report.published
        << " abandoned=" << report.abandoned << " no_free_slot=" << report.no_free_slot
        << " revoked=" << report.revoked << " leases_granted=" << report.leases_granted
        << " slots=" << report.slot_count;
  }

  void close(const Line&, std::ostream&) {
    producer();
    producer_.reset();
  }

 private:
  struct Tally {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> revoked{0};
  };
  struct Making {
    framelane::ProducerOptions options;
    std::vector<DeviceMemory> device;
  };

  const framelane::Producer& producer() const {
    if (!producer_) throw misunderstood("there is no producer");
    return *producer_;
  }
  static unsigned key(const Line& line) { return line.get<unsigned>("claim").value_or(0); }
  framelane::FrameMut& claimed(unsigned number) {
    const auto found = claims_.find(number);
    if (found == claims_.end()) {
      throw misunderstood("there is no claim " + std::to_string(number));
    }
    return found->second;
  }

  /// Sets the fields that the line names, then fills the planes.
  static void fill_frame(const Line& line, framelane::FrameMut& frame) {
    apply(line, frame.info());
    const auto seed = line.get<std::uint64_t>("seed");
    for (std::size_t i = 0; seed && i < frame.info().plane_count; ++i) {
      ::fill(frame.plane(i), i, *seed);
    }
  }

  static Making options(const Line& line) {
    using framelane::Access;
    using framelane::Trust;
    Making made;
    auto& o = made.options;
    if (const auto format = line.text("format")) {
      o.layout = framelane::FrameLayout(
          framelane::pixel_format(*format), line.need<std::uint32_t>("width"),
          line.need<std::uint32_t>("height"), line.get<std::uint32_t>("align").value_or(1));
    }
    o.payload_bytes = line.get<std::uint64_t>("payload_bytes");
    o.lease_budget = line.get<std::uint32_t>("lease_budget").value_or(o.lease_budget);
    o.claims = line.get<std::uint32_t>("claims").value_or(o.claims);
    o.history = line.get<std::uint32_t>("history").value_or(o.history);
    o.lossless = line.get<unsigned>("lossless").value_or(o.lossless);
    o.lease = line.time("lease_ms").value_or(o.lease);
    o.access = line.choice<Access>("access", {{"owner", Access::owner()},
                                              {"everyone", Access::everyone()}})
                   .value_or(o.access);
    o.trust = line.choice<Trust>("trust", {{"same_user", Trust::SameUser},
                                           {"trusted_only", Trust::TrustedOnly},
                                           {"untrusted", Trust::Untrusted}})
                  .value_or(o.trust);
    using framelane::MemoryKind;
    o.memory = line.choice<MemoryKind>("memory", {{"memfd", MemoryKind::Memfd},
                                                  {"hb_mem", MemoryKind::HbMem}})
                   .value_or(o.memory);
    const bool writable = line.get<unsigned>("writable").value_or(0);
    for (std::uint64_t i = 0; o.layout && i < line.get<std::uint64_t>("buffers").value_or(0); ++i) {
      made.device.emplace_back(*o.layout, i, writable);
      o.device_buffers.push_back({made.device.back().fd(), MemoryKind::Memfd});
    }
    return made;
  }

  std::optional<framelane::Producer> producer_;
  // After the producer, and so given back before it.
  std::map<unsigned, framelane::FrameMut> claims_;
  std::optional<framelane::FrameLayout> layout_;
  std::shared_ptr<Tally> returned_ = std::make_shared<Tally>();
};
