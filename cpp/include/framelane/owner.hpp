/// Who gets the buffer of an external frame back.
#pragma once

#include <cstdint>
#include <memory>

namespace framelane {

/// Base of owners; `Producer::publish_external` makes one of any callable.
///
/// It is called once, when the buffer may be used again, or destroyed without being called. Both
/// happen on the producer's return thread, or in `Producer::reclaim` on lanes made with
/// `Reclaim::Pump`. Abstract, so that nothing of a program's C++ library is compiled into ours.
class Owner {
 public:
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  virtual ~Owner() = default;
  /// `revoked`: the buffer was taken from a consumer at its deadline.
  virtual void returned(std::uint64_t sequence, bool revoked) noexcept = 0;
};

/// Private: how the library calls an owner.
inline void give_back(std::unique_ptr<Owner> owner, std::uint64_t sequence,
                      bool revoked) noexcept {
  owner->returned(sequence, revoked);
}

}  // namespace framelane
