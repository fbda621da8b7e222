// A few threads that share a piece of work with the one that owns all state, and sleep otherwise.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace rushlight {

class Helpers {
 public:
  // Each part of a work is `serve`d once, by any of the threads. One that served some then `finish`es. Lane 0 is the caller of `share`,
  // the others are helpers.
  using Serve = std::function<void(size_t lane, size_t part)>;
  using Finish = std::function<void(size_t lane)>;
  // They start with the first work.
  Helpers(size_t count, Serve serve, Finish finish) : count_(count), serve_(std::move(serve)), finish_(std::move(finish)) {}
  ~Helpers();
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  // As many as this process has processors beside the one of the caller, but no more than a network card is worth.
  static size_t countOfMachine();
  size_t count() const { return count_; }

  // Wakes so many helpers, and returns when everything is done. They see what the caller wrote before, and it sees what they wrote. A helper
  // that wakes up too late gets no part, so the caller does not wait for it. Returns the milliseconds that the caller waited for others.
  double share(size_t parts, size_t helpers);

 private:
  void start();
  void run(size_t lane);
  void take(size_t lane);

  size_t count_;
  const Serve serve_;
  const Finish finish_;
  std::vector<std::thread> threads_;
  // Parts that no thread has begun; below zero after attempts that found none. A late helper touches nothing else.
  std::atomic<int64_t> left_{0};
  // Parts that are not finished.
  std::atomic<uint32_t> unfinished_{0};
  // Changes with each work.
  std::atomic<uint32_t> round_{0};
  std::atomic<bool> ending_{false};
};

}  // namespace rushlight
