// Objects by handle. A handle is an index and a generation, so that an outdated one finds nothing.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rushlight {

using Handle = uint32_t;

template <typename T>
class Table {
 public:
  static constexpr uint32_t kIndexBits = 16;
  static uint32_t indexOf(Handle handle) { return handle & ((1u << kIndexBits) - 1); }

  // Null if the handle is stale.
  T* get(Handle handle) const {
    const uint32_t index = indexOf(handle);
    return index < slots_.size() && slots_[index].handle == handle ? slots_[index].object.get() : nullptr;
  }

  T& insert(Handle handle, std::unique_ptr<T> object) {
    const uint32_t index = indexOf(handle);
    if (index >= slots_.size()) slots_.resize(index + 1);
    slots_[index] = {handle, std::move(object)};
    return *slots_[index].object;
  }

  std::unique_ptr<T> take(Handle handle) {
    if (get(handle) == nullptr) return nullptr;
    return std::move(slots_[indexOf(handle)].object);
  }

  template <typename Visit>
  void each(Visit visit) const {
    for (size_t i = 0; i < slots_.size(); i++) {
      if (slots_[i].object != nullptr) visit(*slots_[i].object);
    }
  }

 private:
  struct Slot {
    Handle handle = 0;
    std::unique_ptr<T> object;
  };
  std::vector<Slot> slots_;
};

}  // namespace rushlight
