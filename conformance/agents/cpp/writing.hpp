// The commands of a stream writer.
#pragma once

#include <algorithm>
#include <ostream>

#include "line.hpp"
#include "pixels.hpp"

class Writing {
 public:
  void create(const Line& line, std::ostream& out) {
    using framelane::Trust;
    framelane::StreamWriterOptions o;
    o.data_bytes = line.get<std::uint64_t>("data_bytes").value_or(o.data_bytes);
    o.index_capacity = line.get<std::uint32_t>("index_capacity").value_or(o.index_capacity);
    o.lossless = line.get<unsigned>("lossless").value_or(o.lossless);
    o.key_request_interval = line.time("key_interval_ms").value_or(o.key_request_interval);
    o.trust = line.choice<Trust>("trust", {{"untrusted", Trust::Untrusted}}).value_or(o.trust);
    auto writer = framelane::StreamWriter::create(line.need_text("lane"), config(line), o);
    *this = Writing();
    writer_.emplace(std::move(writer));
    out << " epoch=" << writer_->epoch() << " limit=" << writer_->record_limit();
  }

  void write(const Line& line, std::ostream& out) {
    const auto bytes = filled(line);
    const auto count = std::max<std::size_t>(line.get<std::size_t>("pieces").value_or(1), 1);
    const std::size_t most = (bytes.size() + count - 1) / count;
    std::vector<framelane::span<const std::uint8_t>> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += most) {
      pieces.emplace_back(bytes.data() + at, std::min(most, bytes.size() - at));
    }
    out << " sequence=" << writer().write(info(line), pieces, timeout(line));
  }

  void begin(const Line& line, std::ostream&) {
    record_ = writer().begin(line.need<std::size_t>("room"), timeout(line));
  }

  void append(const Line& line, std::ostream&) { record_.append(filled(line)); }

  void commit(const Line& line, std::ostream& out) {
    record_.info() = info(line);
    out << " sequence=" << record_.commit();
  }

  void abandon(const Line&, std::ostream&) {
    if (!record_) throw misunderstood("no record is begun");
    record_.abandon();
  }

  void set_config(const Line& line, std::ostream& out) {
    out << " config=" << writer().set_config(config(line), timeout(line));
  }

  void key_wanted(const Line& line, std::ostream& out) {
    out << " wanted=" << writer().key_frame_wanted(timeout(line));
  }

  void report(const Line&, std::ostream& out) {
    const auto report = writer().report();
    out << " consumers=" << report.consumer_count << " published=" << report.published
        << " abandoned=" << report.abandoned << " no_free_slot=" << report.no_free_slot
        << " oldest=" << report.stream.oldest << " keys=" << report.stream.key_records;
  }

  void close(const Line&, std::ostream&) {
    writer();
    writer_.reset();
  }

 private:
  const framelane::StreamWriter& writer() const {
    if (!writer_) throw misunderstood("there is no stream writer");
    return *writer_;
  }

  static framelane::Duration timeout(const Line& line) {
    return line.time("timeout_ms").value_or(framelane::Duration::zero());
  }

  static std::vector<std::uint8_t> filled(const Line& line) {
    std::vector<std::uint8_t> bytes(line.get<std::uint32_t>("size").value_or(0));
    ::fill(bytes, 0, line.get<std::uint64_t>("seed").value_or(0));
    return bytes;
  }

  static framelane::RecordInfo info(const Line& line) {
    auto info = framelane::record_info();
    if (line.get<unsigned>("key").value_or(0) != 0) info.flags |= framelane::record_flag::key;
    info.pts_ns = line.get<std::int64_t>("pts").value_or(info.pts_ns);
    info.dts_ns = line.get<std::int64_t>("dts").value_or(info.dts_ns);
    info.capture_id = line.get<std::uint64_t>("capture_id").value_or(0);
    return info;
  }

  static framelane::StreamConfig config(const Line& line) {
    using framelane::Codec;
    const auto codec = line.choice<Codec>("codec", {{"opaque", Codec::Opaque},
                                                    {"h264", Codec::H264},
                                                    {"h265", Codec::H265},
                                                    {"jpeg", Codec::Jpeg},
                                                    {"aac", Codec::Aac},
                                                    {"opus", Codec::Opus},
                                                    {"json", Codec::Json}});
    auto config = framelane::stream_config(codec.value_or(Codec::Opaque),
                                           line.get<std::uint32_t>("width").value_or(0),
                                           line.get<std::uint32_t>("height").value_or(0));
    config.parameter_bytes = line.get<std::uint32_t>("parameters").value_or(0);
    if (config.parameter_bytes > sizeof config.parameters) {
      throw misunderstood("parameters=" + std::to_string(config.parameter_bytes));
    }
    ::fill({config.parameters, config.parameter_bytes}, 0,
           line.get<std::uint64_t>("parameters_seed").value_or(0));
    return config;
  }

  std::optional<framelane::StreamWriter> writer_;
  // After the writer, and so given up before it.
  framelane::RecordMut record_;
};
