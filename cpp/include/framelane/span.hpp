/// A view of contiguous elements, for C++17. Converts to `std::span` where there is one.
#pragma once

#include <cassert>
#include <cstddef>
#include <iterator>
#include <type_traits>

#if __cplusplus >= 202002L
#include <span>
#endif

namespace framelane {

/// Address and number of elements that somebody else owns. Copying it copies no element.
template <class T>
class span {
 public:
  constexpr span() noexcept = default;
  constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
  /// Of an array, a vector, a string, another span: whatever has `std::data` and `std::size`.
  template <class C, class = std::enable_if_t<std::is_convertible_v<
                         std::remove_pointer_t<decltype(std::data(std::declval<C&>()))> (*)[],
                         T (*)[]>>>
  constexpr span(C&& elements) noexcept : data_(std::data(elements)), size_(std::size(elements)) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }
  constexpr T& operator[](std::size_t index) const noexcept {
    assert(index < size_);
    return data_[index];
  }
  constexpr span subspan(std::size_t from, std::size_t size) const noexcept {
    assert(from <= size_ && size <= size_ - from);
    return {data_ + from, size};
  }

#if __cplusplus >= 202002L
  constexpr operator std::span<T>() const noexcept { return {data_, size_}; }
#endif

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace framelane
