/// The writer of a stream lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/record.hpp>
#include <memory>
#include <optional>
#include <string_view>

namespace framelane {

/// Owns a stream lane: records of any size, H.264 access units for instance. Its `const` members
/// can be used from several threads at once; one record is open at a time. Destroying it ends the
/// lane.
class StreamWriter {
 public:
  /// Makes the lane `name`, whose records begin with `config`. Throws as `Producer::create`.
  static StreamWriter create(std::string_view name, const StreamConfig& config,
                             const StreamWriterOptions& options = {}) {
    StreamWriter made;
    detail::check(made.make(name, config, options));
    return made;
  }
  static std::optional<StreamWriter> try_create(std::string_view name, const StreamConfig& config,
                                                const StreamWriterOptions& options,
                                                Error& error) noexcept {
    StreamWriter made;
    if (!detail::told(made.make(name, config, options), error)) return std::nullopt;
    return made;
  }

  /// Begins a record of up to `room` bytes, waiting for lossless readers or for the open record.
  /// Throws `RecordTooLarge`, `NoFreeSlot`, which names who holds what would be overwritten,
  /// `Closed`.
  RecordMut begin(std::size_t room, Duration timeout = Duration::zero()) const {
    RecordMut record;
    detail::check(start(room, timeout, record));
    return record;
  }
  std::optional<RecordMut> try_begin(std::size_t room, Duration timeout,
                                     Error& error) const noexcept {
    std::optional<RecordMut> record(std::in_place);
    if (!detail::told(start(room, timeout, *record), error)) record.reset();
    return record;
  }

  /// Writes a record from its pieces at once; its sequence. Of `info`, which begins as
  /// `record_info()`, count the times, the capture id and the flags. Throws as `begin`.
  std::uint64_t write(const RecordInfo& info, span<const span<const std::uint8_t>> pieces,
                      Duration timeout = Duration::zero()) const {
    std::uint64_t sequence = 0;
    detail::check(put(info, pieces, timeout, sequence));
    return sequence;
  }
  std::optional<std::uint64_t> try_write(const RecordInfo& info,
                                         span<const span<const std::uint8_t>> pieces,
                                         Duration timeout, Error& error) const noexcept {
    std::uint64_t sequence = 0;
    if (!detail::told(put(info, pieces, timeout, sequence), error)) return std::nullopt;
    return sequence;
  }
  /// The same of one piece, of which nothing is said but its flags, those of `record_flag`.
  std::uint64_t write(span<const std::uint8_t> bytes, std::uint32_t flags = 0,
                      Duration timeout = Duration::zero()) const {
    auto info = record_info();
    info.flags = flags;
    return write(info, {&bytes, 1}, timeout);
  }
  std::optional<std::uint64_t> try_write(span<const std::uint8_t> bytes, std::uint32_t flags,
                                         Duration timeout, Error& error) const noexcept {
    auto info = record_info();
    info.flags = flags;
    return try_write(info, {&bytes, 1}, timeout, error);
  }

  /// Says what the records to come are, waiting for lossless readers of the oldest config; the
  /// config's number.
  std::uint32_t set_config(const StreamConfig& config, Duration timeout = Duration::zero()) const {
    std::uint32_t id = 0;
    detail::check(change(config, timeout, id));
    return id;
  }
  std::optional<std::uint32_t> try_set_config(const StreamConfig& config, Duration timeout,
                                              Error& error) const noexcept {
    std::uint32_t id = 0;
    if (!detail::told(change(config, timeout, id), error)) return std::nullopt;
    return id;
  }

  /// Whether a reader wants a key record, told as often as the options allow; waits for it.
  bool key_frame_wanted(Duration timeout = Duration::zero()) const noexcept {
    return handle_ && handle_->key_frame_wanted(detail::ns(timeout));
  }

  /// How the lane is: sizes, counts and readers. Throws `Closed`.
  Report report() const {
    Report report{};
    if (!handle_) detail::raise(detail::no_handle);
    handle_->report(report);
    return report;
  }
  std::optional<Report> try_report(Error& error) const noexcept {
    if (!detail::told(handle_ ? 0 : detail::no_handle, error)) return std::nullopt;
    std::optional<Report> report(std::in_place);
    handle_->report(*report);
    return report;
  }
  /// Largest record in bytes, half of the ring.
  std::size_t record_limit() const noexcept { return handle_ ? handle_->record_limit() : 0; }
  /// Random id of this writer incarnation; 0 when closed.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
  /// Readers attached now.
  std::size_t readers() const noexcept { return handle_ ? handle_->readers() : 0; }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Ends the lane. A record still open can only be abandoned afterwards.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::StreamWriter* handle) const noexcept {
      bridge::drop_stream_writer(handle);
    }
  };

  StreamWriter() noexcept = default;

  std::uint32_t make(std::string_view name, const StreamConfig& config,
                     const StreamWriterOptions& options) noexcept {
    bridge::c::StreamWriterOptions o{};
    framelane_stream_writer_options_init(&o);
    o.data_bytes = options.data_bytes;
    o.key_request_interval_ns = detail::ns(options.key_request_interval);
    o.numa_node = detail::node(options.numa_node);
    o.index_capacity = options.index_capacity;
    o.access = options.access.who_;
    o.access_group = options.access.gid_;
    o.trust = static_cast<std::uint32_t>(options.trust);
    o.lossless = options.lossless;
    o.lock_memory = options.lock_memory;
    o.directory = detail::path(options.directory);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::create_stream(detail::bytes(name), config, o));
    return handle_ ? 0 : bridge::error_kind();
  }

  std::uint32_t start(std::size_t room, Duration timeout, RecordMut& record) const noexcept {
    return handle_ ? handle_->begin(room, detail::ns(timeout), record.open_) : detail::no_handle;
  }

  std::uint32_t put(const RecordInfo& info, span<const span<const std::uint8_t>> pieces,
                    Duration timeout, std::uint64_t& sequence) const noexcept {
    std::size_t room = 0;
    for (const auto& piece : pieces) room += piece.size();
    RecordMut record;
    auto status = start(room, timeout, record);
    record.open_.info = info;
    for (auto piece = pieces.begin(); status == 0 && piece != pieces.end(); ++piece) {
      status = bridge::append_record(record.open_, {piece->data(), piece->size()});
    }
    return status == 0 ? bridge::commit_record(record.open_, sequence) : status;
  }

  std::uint32_t change(const StreamConfig& config, Duration timeout,
                       std::uint32_t& id) const noexcept {
    return handle_ ? handle_->set_config(config, detail::ns(timeout), id) : detail::no_handle;
  }

  std::unique_ptr<bridge::StreamWriter, Drop> handle_;
};

}  // namespace framelane
