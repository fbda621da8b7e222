#include "helpers.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <system_error>

namespace rushlight {

namespace {

// Four processors without AES instructions encrypt more than a gigabit.
constexpr size_t kMost = 3;

}  // namespace

size_t Helpers::countOfMachine() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
  return std::min(kMost, static_cast<size_t>(std::max(1, CPU_COUNT(&allowed))) - 1);
}

Helpers::~Helpers() {
  ending_ = true;
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// Where the system allows no more threads, there are fewer.
void Helpers::start() {
  try {
    while (threads_.size() < count_) threads_.emplace_back([this, lane = threads_.size() + 1] { run(lane); });
  } catch (const std::system_error&) {
    count_ = threads_.size();
  }
  for (std::thread& thread : threads_) pthread_setname_np(thread.native_handle(), "datapath-helper");
}

double Helpers::share(size_t parts, size_t helpers) {
  if (threads_.size() < count_) start();
  unfinished_.store(static_cast<uint32_t>(parts), std::memory_order_relaxed);
  left_.store(static_cast<int64_t>(parts), std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  for (size_t i = 0; i < helpers; i++) round_.notify_one();
  take(0);
  const auto doneAt = std::chrono::steady_clock::now();
  while (const uint32_t unfinished = unfinished_.load(std::memory_order_acquire)) unfinished_.wait(unfinished, std::memory_order_acquire);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - doneAt).count();
}

void Helpers::run(size_t lane) {
  uint32_t seen = 0;
  while (true) {
    round_.wait(seen, std::memory_order_acquire);
    seen = round_.load(std::memory_order_acquire);
    if (ending_) return;
    take(lane);
  }
}

void Helpers::take(size_t lane) {
  uint32_t done = 0;
  for (int64_t part; (part = left_.fetch_sub(1, std::memory_order_acq_rel)) > 0; done++) serve_(lane, static_cast<size_t>(part - 1));
  if (done == 0) return;
  finish_(lane);
  if (unfinished_.fetch_sub(done, std::memory_order_acq_rel) == done) unfinished_.notify_one();
}

}  // namespace rushlight
