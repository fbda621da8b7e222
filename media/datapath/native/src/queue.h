// A bounded lock-free queue from one thread to another.
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace rushlight {

template <typename T>
class Queue {
 public:
  // `capacity` is a power of two.
  explicit Queue(size_t capacity) : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {}

  // False if it is full; `value` is then unchanged.
  bool push(T& value) {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) > mask_) return false;
    slots_[head & mask_] = std::move(value);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  std::optional<T> pop() {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> value(std::move(slots_[tail & mask_]));
    slots_[tail & mask_] = T();
    tail_.store(tail + 1, std::memory_order_release);
    return value;
  }

  // Not exact while the other side works; good enough to distinguish full from empty.
  size_t size() const { return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire); }
  size_t capacity() const { return mask_ + 1; }

 private:
  size_t mask_;
  std::unique_ptr<T[]> slots_;
  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace rushlight
