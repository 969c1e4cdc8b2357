/// The byte ring of the older shmbuf programs, layout 2, byte for byte: for talking with such
/// programs until they have moved to a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/span.hpp>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace framelane {

/// How to make a segment.
struct ShmbufSenderOptions {
  /// Bytes wanted: the ring is the largest power of two that fits. A message needs 4 bytes beside
  /// its own.
  std::uint64_t capacity_bytes = 0;
  /// Permissions, whatever the umask. A receiver needs to read and write.
  std::uint32_t mode = 0600;
  /// Whether the name stays when the sender goes, for receivers that come later.
  bool keep = false;
  /// Whether the receiver is upstream's Python one, which goes deaf after 4 GiB: the counters are
  /// set back in time. Never with a C++ receiver, which would read far outside its memory.
  bool python_receiver = false;
  /// Whether to wake the other side and be woken, where it is ours and asks for the same.
  bool bell = false;
  /// Sleep between two looks at a peer that rings no bell, at most 50 ms.
  Duration poll_interval = std::chrono::milliseconds(1);
  /// Folder of the segment; empty: that of POSIX shared memory.
  std::string directory;
};

/// How to attach to a segment.
struct ShmbufReceiverOptions {
  /// How long `ShmbufReceiver::open` waits for a segment that can be read.
  Duration wait_for_sender{0};
  /// Go on with the next segment of the name when the sender was restarted; otherwise reading then
  /// fails with `Disconnected`. That an upstream sender is gone cannot be seen.
  bool reattach = true;
  /// As `ShmbufSenderOptions::bell`.
  bool bell = false;
  Duration poll_interval = std::chrono::milliseconds(1);
  /// Folder of the segment; empty: that of POSIX shared memory.
  std::string directory;
};

/// Writes messages into a segment of its own. Can be moved to another thread but is used by one at
/// a time. Destroying it ends the segment; an attached receiver can still read what was sent.
class ShmbufSender {
 public:
  /// Makes the segment `name`, with or without a slash in front, in place of one that a dead sender
  /// has left. Throws `InvalidName` for names that C++ peers of old would cut, `InvalidArgument`
  /// for a capacity out of range, `AlreadyExists` while another sender of ours has the name (an
  /// upstream one cannot be seen, and loses it), `OutOfMemory`.
  static ShmbufSender create(std::string_view name, const ShmbufSenderOptions& options) {
    ShmbufSender made;
    detail::check(made.make(name, options));
    return made;
  }
  static std::optional<ShmbufSender> try_create(std::string_view name,
                                                const ShmbufSenderOptions& options,
                                                Error& error) noexcept {
    ShmbufSender made;
    if (!detail::told(made.make(name, options), error)) return std::nullopt;
    return made;
  }

  /// Sends a message, waiting for room; false, and nothing is written, if there was none. Throws
  /// `TooLarge` for a message that the ring could never take, `InvalidArgument` for an empty one,
  /// at which upstream receivers would stop for ever, `Protocol` when the receiver's counter is
  /// impossible, `Forked`.
  bool send(span<const std::uint8_t> message, Duration timeout = Duration::zero()) {
    bool sent = false;
    detail::check(put(message, timeout, sent));
    return sent;
  }
  bool try_send(span<const std::uint8_t> message, Duration timeout, Error& error) noexcept {
    bool sent = false;
    return detail::told(put(message, timeout, sent), error) && sent;
  }

  /// Waits until everything sent has been read; whether it has.
  bool drain(Duration timeout) {
    bool drained = false;
    detail::check(handle_ ? handle_->drain(detail::ns(timeout), drained) : detail::no_handle);
    return drained;
  }
  bool try_drain(Duration timeout, Error& error) noexcept {
    bool drained = false;
    const auto status =
        handle_ ? handle_->drain(detail::ns(timeout), drained) : detail::no_handle;
    return detail::told(status, error) && drained;
  }

  /// Bytes that wait to be read, the 4 before each message included.
  std::size_t unread() const {
    std::size_t bytes = 0;
    detail::check(handle_ ? handle_->unread(bytes) : detail::no_handle);
    return bytes;
  }
  std::optional<std::size_t> try_unread(Error& error) const noexcept {
    std::size_t bytes = 0;
    if (!detail::told(handle_ ? handle_->unread(bytes) : detail::no_handle, error)) {
      return std::nullopt;
    }
    return bytes;
  }
  /// Whether a receiver of ours is attached; upstream ones cannot be seen.
  bool has_receiver() const {
    bool attached = false;
    detail::check(handle_ ? handle_->has_receiver(attached) : detail::no_handle);
    return attached;
  }
  bool try_has_receiver(Error& error) const noexcept {
    bool attached = false;
    const auto status = handle_ ? handle_->has_receiver(attached) : detail::no_handle;
    return detail::told(status, error) && attached;
  }

  /// Bytes of the ring: the largest power of two that fits the wish.
  std::size_t capacity() const noexcept { return handle_ ? handle_->capacity() : 0; }
  /// The longest message that the empty ring can take.
  std::size_t longest_message() const noexcept { return handle_ ? handle_->longest_message() : 0; }
  /// Messages sent.
  std::uint64_t sent() const noexcept { return handle_ ? handle_->sent() : 0; }
  /// How often a send that does not wait found the ring full.
  std::uint64_t times_full() const noexcept { return handle_ ? handle_->times_full() : 0; }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Ends the segment: its name goes, unless it is to be kept.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::ShmbufSender* handle) const noexcept {
      bridge::drop_shmbuf_sender(handle);
    }
  };

  ShmbufSender() noexcept = default;

  std::uint32_t make(std::string_view name, const ShmbufSenderOptions& options) noexcept {
    bridge::c::ShmbufSenderOptions o{};
    framelane_shmbuf_sender_options_init(&o);
    o.capacity_bytes = options.capacity_bytes;
    o.mode = options.mode;
    o.keep = options.keep;
    o.python_receiver = options.python_receiver;
    o.bell = options.bell;
    o.poll_interval_ns = detail::ns(options.poll_interval);
    o.directory = detail::path(options.directory);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::create_shmbuf(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
  }

  std::uint32_t put(span<const std::uint8_t> message, Duration timeout, bool& sent) noexcept {
    if (!handle_) return detail::no_handle;
    return handle_->send({message.data(), message.size()}, detail::ns(timeout), sent);
  }

  std::unique_ptr<bridge::ShmbufSender, Drop> handle_;
};

/// Reads the messages of a segment. Can be moved to another thread but is used by one at a time.
///
/// Nothing to read within the time is no error: the answer is empty or false. Reading throws
/// `Protocol` when the segment says something impossible, `Forked`, `Closed`, and `Disconnected`
/// when the sender is gone and everything is read, where re-attaching is off.
class ShmbufReceiver {
 public:
  /// Attaches to the segment `name`, with or without a slash in front. Throws `InvalidName`;
  /// `NotFound`, `TimedOut` for one without a header and `TooMany` while another receiver of ours
  /// reads it, all after the time to wait; `Protocol` for one that is no ring, `PermissionDenied`:
  /// a receiver needs to write, too.
  static ShmbufReceiver open(std::string_view name, const ShmbufReceiverOptions& options = {}) {
    ShmbufReceiver made;
    detail::check(made.attach(name, options));
    return made;
  }
  static std::optional<ShmbufReceiver> try_open(std::string_view name,
                                                const ShmbufReceiverOptions& options,
                                                Error& error) noexcept {
    ShmbufReceiver made;
    if (!detail::told(made.attach(name, options), error)) return std::nullopt;
    return made;
  }

  /// The next message, waiting for it; it replaces what `message` holds, whose memory is used
  /// again. Throws `OutOfMemory` when there is none for the message, whose length the sender says;
  /// it stays, to be skipped or read elsewhere.
  bool next(std::vector<std::uint8_t>& message, Duration timeout = Duration::zero()) {
    bool there = false;
    detail::check(read(message, timeout, there));
    return there;
  }
  bool try_next(std::vector<std::uint8_t>& message, Duration timeout, Error& error) noexcept {
    bool there = false;
    return detail::told(read(message, timeout, there), error) && there;
  }
  /// The next message, waiting for it.
  std::optional<std::vector<std::uint8_t>> next(Duration timeout = Duration::zero()) {
    std::optional<std::vector<std::uint8_t>> message(std::in_place);
    if (!next(*message, timeout)) message.reset();
    return message;
  }
  std::optional<std::vector<std::uint8_t>> try_next(Duration timeout, Error& error) noexcept {
    std::optional<std::vector<std::uint8_t>> message(std::in_place);
    if (!try_next(*message, timeout, error)) message.reset();
    return message;
  }

  /// The next message into memory of the caller's; its size. Throws `TooLarge` when it does not
  /// fit, and it stays, to be read elsewhere or skipped.
  std::optional<std::size_t> next_into(span<std::uint8_t> into,
                                       Duration timeout = Duration::zero()) {
    bridge::Found found{};
    detail::check(read_into(into, timeout, found));
    return size(found);
  }
  std::optional<std::size_t> try_next_into(span<std::uint8_t> into, Duration timeout,
                                           Error& error) noexcept {
    bridge::Found found{};
    if (!detail::told(read_into(into, timeout, found), error)) return std::nullopt;
    return size(found);
  }

  /// Size of the next message, waiting for it; it stays.
  std::optional<std::size_t> wait(Duration timeout) {
    bridge::Found found{};
    detail::check(look(timeout, found));
    return size(found);
  }
  std::optional<std::size_t> try_wait(Duration timeout, Error& error) noexcept {
    bridge::Found found{};
    if (!detail::told(look(timeout, found), error)) return std::nullopt;
    return size(found);
  }

  /// Drops the next message unread; false if there is none.
  bool skip() {
    bool skipped = false;
    detail::check(handle_ ? handle_->skip(skipped) : detail::no_handle);
    return skipped;
  }
  bool try_skip(Error& error) noexcept {
    bool skipped = false;
    return detail::told(handle_ ? handle_->skip(skipped) : detail::no_handle, error) && skipped;
  }

  /// Bytes of the ring.
  std::size_t capacity() const noexcept { return handle_ ? handle_->capacity() : 0; }
  /// Messages received.
  std::uint64_t received() const noexcept { return handle_ ? handle_->received() : 0; }
  /// Empty messages that were stepped over; ours never send one.
  std::uint64_t empty() const noexcept { return handle_ ? handle_->empty() : 0; }
  /// How often another segment was found at the name: the sender had been restarted.
  std::uint64_t restarts() const noexcept { return handle_ ? handle_->restarts() : 0; }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Stops reading; the segment stays.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::ShmbufReceiver* handle) const noexcept {
      bridge::drop_shmbuf_receiver(handle);
    }
  };

  ShmbufReceiver() noexcept = default;

  std::uint32_t attach(std::string_view name, const ShmbufReceiverOptions& options) noexcept {
    bridge::c::ShmbufReceiverOptions o{};
    framelane_shmbuf_receiver_options_init(&o);
    o.wait_for_sender_ns = detail::ns(options.wait_for_sender);
    o.reattach = options.reattach;
    o.bell = options.bell;
    o.poll_interval_ns = detail::ns(options.poll_interval);
    o.directory = detail::path(options.directory);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_shmbuf(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
  }

  static std::optional<std::size_t> size(const bridge::Found& found) noexcept {
    if (!found.there) return std::nullopt;
    return found.size_bytes;
  }

  std::uint32_t look(Duration timeout, bridge::Found& found) noexcept {
    return handle_ ? handle_->wait(detail::ns(timeout), found) : detail::no_handle;
  }

  std::uint32_t read_into(span<std::uint8_t> into, Duration timeout,
                          bridge::Found& found) noexcept {
    if (const auto status = look(timeout, found); status != 0 || !found.there) return status;
    return handle_->recv({into.data(), into.size()}, found);
  }

  std::uint32_t read(std::vector<std::uint8_t>& message, Duration timeout, bool& there) noexcept {
    bridge::Found found{};
    if (const auto status = look(timeout, found); status != 0 || !found.there) return status;
    if (!resized(message, found.size_bytes)) return detail::no_memory;
    found = {};
    const auto status = handle_->recv({message.data(), message.size()}, found);
    // The sender can have made it shorter since the look; never longer, that is TooLarge.
    message.resize(found.there ? found.size_bytes : 0);
    there = found.there;
    return status;
  }

  /// Whether there was memory for it.
  static bool resized(std::vector<std::uint8_t>& message, std::size_t size_bytes) noexcept {
    try {
      message.resize(size_bytes);
    } catch (const std::bad_alloc&) {
      return false;
    } catch (const std::length_error&) {
      return false;
    }
    return true;
  }

  std::unique_ptr<bridge::ShmbufReceiver, Drop> handle_;
};

/// Removes a segment by name, as after a crash; false if there is none. Throws `AlreadyExists`
/// while a sender of ours has it.
inline bool remove_shmbuf(std::string_view name, std::string_view directory = {}) {
  bool removed = false;
  detail::check(bridge::remove_shmbuf(detail::bytes(name), detail::bytes(directory), removed));
  return removed;
}
inline bool try_remove_shmbuf(std::string_view name, std::string_view directory,
                              Error& error) noexcept {
  bool removed = false;
  const auto status =
      bridge::remove_shmbuf(detail::bytes(name), detail::bytes(directory), removed);
  return detail::told(status, error) && removed;
}

}  // namespace framelane
