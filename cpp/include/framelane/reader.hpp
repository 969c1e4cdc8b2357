/// What consumers, stream readers and readers of switches have in common.
#pragma once

#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/options.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace framelane {

namespace detail {
template <class Handle, class Item>
class Reader;
}

/// Closes its reader from any thread: a sleeping read then fails with `Closed`, and so does every
/// later one. What is held stays valid. Copies close the same reader; it may outlive it.
class Closer {
 public:
  // Moving copies, so that there is no empty one.
  Closer(const Closer& other) noexcept : handle_(other.handle_->again()) {}
  Closer& operator=(const Closer& other) noexcept {
    handle_ = other.handle_->again();
    return *this;
  }
  void close() const noexcept { handle_->close(); }

 private:
  template <class Handle, class Item>
  friend class detail::Reader;
  explicit Closer(rust::Box<bridge::Closer> handle) noexcept : handle_(std::move(handle)) {}
  rust::Box<bridge::Closer> handle_;
};

namespace detail {

inline void drop_handle(bridge::Consumer* handle) noexcept { bridge::drop_consumer(handle); }
inline void drop_handle(bridge::StreamReader* handle) noexcept {
  bridge::drop_stream_reader(handle);
}
inline void drop_handle(bridge::Switch* handle) noexcept { bridge::drop_switch(handle); }

/// Reads items, frames or records, from a handle of the bridge.
template <class Handle, class Item>
class Reader {
 public:
  /// The next item if there is one now. After an empty answer the descriptor of `fd` is drained and
  /// armed.
  std::optional<Item> next() { return next(Duration::zero()); }
  /// The next item, waiting up to `timeout` for it.
  std::optional<Item> next(Duration timeout) {
    return required([&](Item& item) { return read(timeout, item); });
  }
  std::optional<Item> try_next(Error& error) noexcept { return try_next(Duration::zero(), error); }
  std::optional<Item> try_next(Duration timeout, Error& error) noexcept {
    return tried([&](Item& item) { return read(timeout, item); }, error);
  }

  /// Waits until there may be something to read; whether there may. Without time the descriptor of
  /// `fd` is drained and armed where there is nothing.
  bool wait(Duration timeout) {
    bool ready = false;
    check(wait_for(timeout, ready));
    return ready;
  }
  bool try_wait(Duration timeout, Error& error) noexcept {
    bool ready = false;
    return told(wait_for(timeout, ready), error) && ready;
  }

  /// A descriptor that becomes readable when there may be something to read, for poll, epoll or an
  /// event loop; -1 when closed. It belongs to the reader: do not read or close it. Each time it is
  /// readable, call `next()` until it is empty before polling again; expect to be woken for nothing
  /// now and then.
  int fd() noexcept { return handle_ ? handle_->fd() : -1; }

  /// Items delivered.
  std::uint64_t received() const noexcept { return handle_ ? handle_->received() : 0; }
  /// Items that passed without being delivered, all epochs together.
  std::uint64_t missed() const noexcept { return handle_ ? handle_->missed() : 0; }
  /// Items of this reader that are held now, earlier epochs included.
  std::uint32_t held() const noexcept { return handle_ ? handle_->held() : 0; }

  /// A handle that closes this reader from any thread. Throws `Closed`.
  Closer closer() const {
    if (!handle_) raise(no_handle);
    return Closer(handle_->closer());
  }
  std::optional<Closer> try_closer(Error& error) const noexcept {
    if (!told(handle_ ? 0 : no_handle, error)) return std::nullopt;
    return Closer(handle_->closer());
  }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Stops reading. What is held stays valid; the connection ends with the last of it. For the
  /// thread that reads; others use a `Closer`.
  void close() noexcept { handle_.reset(); }

 protected:
  struct Drop {
    void operator()(Handle* handle) const noexcept { drop_handle(handle); }
  };

  Reader() noexcept = default;

  /// An item that has to be read, or nothing; `read` says how that went.
  template <class Read>
  std::optional<Item> required(Read read) {
    std::optional<Item> item(std::in_place);
    check(read(*item));
    if (!*item) item.reset();
    return item;
  }
  template <class Read>
  std::optional<Item> tried(Read read, Error& error) noexcept {
    std::optional<Item> item(std::in_place);
    if (!told(read(*item), error) || !*item) item.reset();
    return item;
  }

  std::uint32_t read(Duration timeout, Item& item) noexcept {
    if (!handle_) return no_handle;
    return timeout > Duration::zero() ? handle_->next(ns(timeout), item.held_)
                                      : handle_->try_next(item.held_);
  }

  std::uint32_t newest(Item& item) noexcept {
    return handle_ ? handle_->latest(item.held_) : no_handle;
  }

  std::uint32_t wait_for(Duration timeout, bool& ready) noexcept {
    return handle_ ? handle_->wait(ns(timeout), ready) : no_handle;
  }

  std::unique_ptr<Handle, Drop> handle_;
};

}  // namespace detail

}  // namespace framelane
