// The commands of stream readers.
#pragma once

#include <ostream>

#include "fields.hpp"
#include "numbered.hpp"
#include "pixels.hpp"

class Reading {
 public:
  void open(const Line& line, std::ostream& out) {
    framelane::StreamReaderOptions options;
    options.start = place(line, "start").value_or(options.start);
    options.start_age = line.time("age_ms").value_or(options.start_age);
    options.after_lap = place(line, "after_lap").value_or(options.after_lap);
    options.lossless = line.get<unsigned>("lossless").value_or(options.lossless);
    options.wait_for_lane = line.time("wait_ms").value_or(options.wait_for_lane);
    options.reattach = line.get<unsigned>("reattach").value_or(options.reattach);
    auto reader = framelane::StreamReader::open(line.need_text("lane"), options);
    out << " epoch=" << reader.epoch();
    readers_.put(line, std::move(reader));
  }

  /// The next record, at once where the line gives no time.
  void next(const Line& line, std::ostream& out) {
    std::optional<framelane::Record> found;
    try {
      const auto time = line.time("timeout_ms");
      found = time ? readers_.at(line).next(*time) : readers_.at(line).next();
    } catch (const framelane::Error& error) {
      if (error.kind() != framelane::ErrorKind::Lapped) throw;
      out << " lapped=" << error.missed();
      return;
    }
    if (!found) throw Nothing();
    out << " sequence=" << found->sequence() << " missed=" << found->missed()
        << " new_epoch=" << found->new_epoch() << " key=" << found->is_key()
        << " config=" << found->info().config_id << " new_config=" << found->new_config();
    records_.put(line, std::move(*found));
  }

  void read(const Line& line, std::ostream& out) {
    const framelane::Record& record = records_.at(line);
    const auto& info = record.info();
    const auto& config = record.config();
    out << " size=" << record.bytes().size() << " crc=" << crc_text(record.bytes())
        << " pts=" << info.pts_ns << " dts=" << info.dts_ns << " capture_id=" << info.capture_id
        << " codec=" << told(config.codec) << " width=" << config.width
        << " height=" << config.height << " parameters=" << config.parameter_bytes
        << " parameters_crc=" << crc_text({config.parameters, config.parameter_bytes});
  }

  void release(const Line& line, std::ostream&) { records_.take(line).release(); }

  void seek(const Line& line, std::ostream&) {
    const auto to = place(line, "place");
    if (!to) throw misunderstood("seek needs place=");
    readers_.at(line).seek(*to, line.time("age_ms").value_or(framelane::Duration::zero()));
  }

  void request_key(const Line& line, std::ostream&) { readers_.at(line).request_key_frame(); }

  void wait(const Line& line, std::ostream& out) {
    out << " ready=" << readers_.at(line).wait(line.need_time("timeout_ms"));
  }

  void poll(const Line& line, std::ostream& out) {
    out << " ready=" << polled(line, readers_.at(line).fd());
  }

  void count(const Line& line, std::ostream& out) {
    const auto& reader = readers_.at(line);
    out << " received=" << reader.received() << " missed=" << reader.missed()
        << " held=" << reader.held();
  }

  void close(const Line& line, std::ostream&) { readers_.take(line).close(); }

 private:
  static std::optional<framelane::StreamStart> place(const Line& line, std::string_view key) {
    using framelane::StreamStart;
    return line.choice<StreamStart>(key, {{"newest_key", StreamStart::NewestKey},
                                          {"oldest_key", StreamStart::OldestKey},
                                          {"key_before", StreamStart::KeyBefore},
                                          {"next", StreamStart::Next}});
  }

  Numbered<framelane::StreamReader> readers_{"reader"};
  // After the readers, and so given back before them.
  Numbered<framelane::Record> records_{"record"};
};
