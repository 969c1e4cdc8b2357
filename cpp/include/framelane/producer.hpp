/// The producer: owns a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/frame_mut.hpp>
#include <framelane/options.hpp>
#include <framelane/owner.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framelane {

/// Which external frame came back, and how.
struct Returned {
  std::uint64_t sequence;
  /// It was taken from a consumer at its deadline.
  bool revoked;
};

/// Claims slots, fills and publishes them. Its `const` members can be used from several threads at
/// once. Never blocks on a consumer, unless the lane admits lossless ones and a claim is given time
/// to wait. Destroying it ends the lane: consumers are told, inline frames they hold stay valid.
class Producer {
 public:
  /// Makes the lane `name`, 1 to 64 of `a-z 0-9 . _ -`, and starts to admit consumers. Throws
  /// `InvalidName`, `InvalidArgument`, `AlreadyExists`, `OutOfMemory` with the sizes,
  /// `PermissionDenied`, `Unsupported`, `TooMany`.
  static Producer create(std::string_view name, const ProducerOptions& options) {
    Producer made;
    detail::check(made.make(name, options));
    return made;
  }
  static std::optional<Producer> try_create(std::string_view name, const ProducerOptions& options,
                                            Error& error) noexcept {
    Producer made;
    if (!detail::told(made.make(name, options), error)) return std::nullopt;
    return made;
  }

  /// Claims a slot at once. Throws `NoFreeSlot`, which names the holders, `Closed`, `Forked`,
  /// `Unsupported` on a device lane.
  FrameMut claim() const {
    FrameMut frame;
    detail::check(handle_ ? handle_->claim(frame.claimed_) : detail::no_handle);
    return frame;
  }
  std::optional<FrameMut> try_claim(Error& error) const noexcept {
    std::optional<FrameMut> frame(std::in_place);
    const auto status = handle_ ? handle_->claim(frame->claimed_) : detail::no_handle;
    if (!detail::told(status, error)) frame.reset();
    return frame;
  }

  /// Claims a slot, waiting for a lossless consumer or one of the own frames. Throws as `claim`;
  /// `NoFreeSlot` when the time is over.
  FrameMut claim_within(Duration timeout) const {
    FrameMut frame;
    detail::check(wait_for_claim(timeout, frame));
    return frame;
  }
  std::optional<FrameMut> try_claim_within(Duration timeout, Error& error) const noexcept {
    std::optional<FrameMut> frame(std::in_place);
    if (!detail::told(wait_for_claim(timeout, *frame), error)) frame.reset();
    return frame;
  }

  /// Publishes several frames in order with one wake-up and empties them; the last sequence.
  /// Readers see the newest 1 + history of them. Throws `InvalidArgument` for an empty batch or a
  /// frame of another lane.
  std::uint64_t publish_batch(span<FrameMut> frames) const {
    std::uint64_t last = 0;
    detail::check(publish_all(frames, last));
    return last;
  }
  std::optional<std::uint64_t> try_publish_batch(span<FrameMut> frames,
                                                 Error& error) const noexcept {
    std::uint64_t last = 0;
    if (!detail::told(publish_all(frames, last), error)) return std::nullopt;
    return last;
  }

  /// Publishes a frame that lives in device memory; its sequence. `owner(Returned)` runs once when
  /// its buffer may be used again, on another thread, see `Owner`; it must not throw. When this
  /// fails it is destroyed without being run. Throws `InvalidArgument` for planes outside the
  /// lane's buffers, `Unsupported` on an inline lane, `NoFreeSlot`.
  template <class F>
  std::uint64_t publish_external(const FrameInfo& info, F&& owner) const {
    std::uint64_t sequence = 0;
    detail::check(publish_owned(info, own(std::forward<F>(owner)), sequence));
    return sequence;
  }
  /// The same, for a buffer that nobody waits for.
  std::uint64_t publish_external(const FrameInfo& info) const {
    std::uint64_t sequence = 0;
    detail::check(publish_owned(info, nullptr, sequence));
    return sequence;
  }
  template <class F>
  std::optional<std::uint64_t> try_publish_external(const FrameInfo& info, F&& owner,
                                                    Error& error) const {
    std::uint64_t sequence = 0;
    const auto status = publish_owned(info, own(std::forward<F>(owner)), sequence);
    if (!detail::told(status, error)) return std::nullopt;
    return sequence;
  }

  /// Runs the owners of returned buffers, on lanes made with `Reclaim::Pump`; how many ran.
  std::size_t reclaim() const noexcept { return handle_ ? handle_->reclaim() : 0; }
  /// Takes back the device frames that nobody holds, the newest included.
  void recall() const noexcept {
    if (handle_) handle_->recall();
  }

  /// How the lane is: geometry, counts, consumers and what they hold. Throws `Closed`.
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
  /// Random id of this producer incarnation; 0 when closed.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
  /// Consumers attached now.
  std::size_t consumers() const noexcept { return handle_ ? handle_->consumers() : 0; }
  /// Name of the lane.
  std::string name() const { return handle_ ? detail::text(handle_->name()) : std::string(); }
  /// Runtime directory the lane's socket is in.
  std::string directory() const {
    return handle_ ? detail::text(handle_->directory()) : std::string();
  }

  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Ends the lane. Frames still claimed may be destroyed or abandoned afterwards.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::Producer* handle) const noexcept { bridge::drop_producer(handle); }
  };

  template <class F>
  class Callable final : public Owner {
   public:
    template <class G>
    explicit Callable(G&& call) : call_(std::forward<G>(call)) {}
    void returned(std::uint64_t sequence, bool revoked) noexcept override {
      call_(Returned{sequence, revoked});
    }

   private:
    F call_;
  };

  template <class F>
  static std::unique_ptr<Owner> own(F&& call) {
    return std::make_unique<Callable<std::decay_t<F>>>(std::forward<F>(call));
  }

  Producer() noexcept = default;

  std::uint32_t make(std::string_view name, const ProducerOptions& options) noexcept;

  std::uint32_t wait_for_claim(Duration timeout, FrameMut& frame) const noexcept {
    return handle_ ? handle_->claim_within(detail::ns(timeout), frame.claimed_)
                   : detail::no_handle;
  }

  std::uint32_t publish_all(span<FrameMut> frames, std::uint64_t& last) const noexcept {
    if (!handle_) return detail::no_handle;
    // A FrameMut is its ClaimedFrame and nothing else; asserted beside the class.
    auto* first = reinterpret_cast<bridge::ClaimedFrame*>(frames.data());
    return handle_->publish_batch({first, frames.size()}, last);
  }

  std::uint32_t publish_owned(const FrameInfo& info, std::unique_ptr<Owner> owner,
                              std::uint64_t& sequence) const noexcept {
    if (!handle_) return detail::no_handle;
    return handle_->publish_external(info, std::move(owner), sequence);
  }

  std::unique_ptr<bridge::Producer, Drop> handle_;
};

inline std::uint32_t Producer::make(std::string_view name,
                                    const ProducerOptions& options) noexcept {
  std::vector<std::int32_t> fds;
  std::vector<std::uint8_t> kinds;
  for (const DeviceBuffer& buffer : options.device_buffers) {
    fds.push_back(buffer.fd);
    kinds.push_back(static_cast<std::uint8_t>(buffer.kind));
  }
  bridge::c::ProducerOptions o{};
  framelane_producer_options_init(&o);
  if (options.layout) options.layout->give(o.layout);
  o.payload_bytes = options.payload_bytes.value_or(0);
  o.lease_ns = detail::ns(options.lease);
  o.frame_period_ns = detail::ns(options.frame_period);
  o.lease_budget = options.lease_budget;
  o.claims = options.claims;
  o.history = options.history;
  o.numa_node = detail::node(options.numa_node);
  o.memory = static_cast<std::uint32_t>(options.memory);
  o.huge_pages = static_cast<std::uint32_t>(options.huge_pages);
  o.access = options.access.who_;
  o.access_group = options.access.gid_;
  o.trust = static_cast<std::uint32_t>(options.trust);
  o.reclaim = static_cast<std::uint32_t>(options.reclaim);
  o.lossless = options.lossless;
  o.lock_memory = options.lock_memory;
  o.directory = detail::path(options.directory);
  o.device_fds = fds.data();
  o.device_count = fds.size();
  if (const auto status = detail::can_make(options.directory); status != 0) return status;
  handle_.reset(bridge::create_producer(detail::bytes(name), o, {kinds.data(), kinds.size()}));
  return handle_ ? 0 : bridge::error_kind();
}

}  // namespace framelane
