#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace headrace {

/// Plain values one after another. As std::vector, but growing leaves new memory as it is.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  void push(T value) {
    if (size_ == capacity_) grow(1);
    data_[size_++] = value;
  }
  void append(const T* values, std::size_t count) {
    if (count == 0) return;
    if (capacity_ - size_ < count) grow(count);
    copy(reinterpret_cast<char*>(data_ + size_), reinterpret_cast<const char*>(values),
         count * sizeof(T));
    size_ += count;
  }
  /// Appends a value of another type, byte for byte. Those of one buffer have one size.
  template <class Value>
  void push_as(Value value) {
    static_assert(sizeof(T) == 1);
    if (capacity_ - size_ < sizeof value) grow(sizeof value);
    std::memcpy(data_ + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  /// What push_as() appended.
  template <class Value>
  std::span<const Value> view_as() const {
    return {reinterpret_cast<const Value*>(data_), size_ * sizeof(T) / sizeof(Value)};
  }
  /// `count` more values, for the caller to write.
  T* extend(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    size_ += count;
    return data_ + size_ - count;
  }
  void clear() { size_ = 0; }
  /// Drops all but the first `size` values.
  void shrink(std::size_t size) { size_ = size; }
  /// Empties it and gives the memory back.
  void release() {
    std::free(data_);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  T& back() { return data_[size_ - 1]; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<const T> view() const { return {data_, size_}; }

 private:
  /// memcpy without a call for what is short, as most texts are.
  static void copy(char* to, const char* from, std::size_t bytes) {
    const auto both_ends = [&]<class Word>(Word) {
      Word first;
      Word last;
      std::memcpy(&first, from, sizeof first);
      std::memcpy(&last, from + bytes - sizeof last, sizeof last);
      std::memcpy(to, &first, sizeof first);
      std::memcpy(to + bytes - sizeof last, &last, sizeof last);
    };
    struct Word16 {
      std::uint64_t halves[2];
    };
    if (bytes > 32) {
      std::memcpy(to, from, bytes);
    } else if (bytes >= 16) {
      both_ends(Word16{});
    } else if (bytes >= 8) {
      both_ends(std::uint64_t{});
    } else if (bytes >= 4) {
      both_ends(std::uint32_t{});
    } else {
      for (std::size_t i = 0; i < bytes; ++i) to[i] = from[i];
    }
  }

  void grow(std::size_t count) {
    std::size_t capacity = capacity_ < 32 ? 64 : capacity_ * 2;
    if (capacity < size_ + count) capacity = size_ + count;
    void* grown = std::realloc(data_, capacity * sizeof(T));
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<T*>(grown);
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace headrace
