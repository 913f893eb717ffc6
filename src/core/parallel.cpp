#include "core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <queue>
#include <system_error>
#include <thread>
#include <vector>

namespace convtool {
namespace {

/// How long an idle thread looks for work before it sleeps. Waking it takes tens of microseconds, and sometimes a tenth
/// of a millisecond: as long as a small layer takes.
constexpr std::chrono::microseconds kLook(100);

/// Waits until `ready` or until kLook is over. Yields, in case there are more threads than cores.
template <class Ready>
void look_for(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kLook;
  while (!ready() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

/// Worker threads that take tasks from one queue. Grows to the largest number of workers ever requested.
class Pool {
 public:
  static Pool& instance() {
    static Pool pool;
    return pool;
  }

  /// Starts workers until there are `workers`. Returns their number, which is smaller if the system grants no more.
  std::size_t grow_to(std::size_t workers) {
    std::lock_guard lock(mutex_);
    try {
      while (threads_.size() < workers) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
    return threads_.size();
  }

  void submit(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      tasks_.push(std::move(task));
      wanted_ = true;
    }
    wake_.notify_one();
  }

  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      wanted_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    while (true) {
      look_for([this] { return wanted_.load(); });
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop();
      wanted_ = stopping_ || !tasks_.empty();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::queue<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::atomic<bool> wanted_ = false;  // there are tasks, or it is time to stop: read without the lock
};

}  // namespace

int available_cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& body) {
  const std::int64_t wanted = std::min<std::int64_t>(count, threads == 0 ? available_cores() : threads);
  const std::int64_t workers =
      wanted <= 1 ? 0 : static_cast<std::int64_t>(Pool::instance().grow_to(static_cast<std::size_t>(wanted - 1)));
  const std::int64_t parts = std::min(wanted, workers + 1);
  if (parts <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  const auto begin_of = [&](std::int64_t part) { return count * part / parts; };

  std::mutex mutex;
  std::condition_variable finished;
  std::atomic<std::int64_t> running = 0;
  std::exception_ptr failure;
  const auto run_part = [&](std::int64_t part) {
    try {
      body(begin_of(part), begin_of(part + 1));
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  const auto run_in_worker = [&](std::int64_t part) {
    run_part(part);
    // Notifying under the lock keeps `finished` alive until this worker no longer uses it.
    std::lock_guard lock(mutex);
    if (--running == 0) finished.notify_one();
  };

  for (std::int64_t part = 1; part < parts; ++part) {
    {
      std::lock_guard lock(mutex);
      ++running;
    }
    try {
      Pool::instance().submit([&run_in_worker, part] { run_in_worker(part); });
    } catch (...) {  // no memory for the task: run it in this thread
      run_in_worker(part);
    }
  }
  run_part(0);
  look_for([&] { return running == 0; });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return running == 0; });
  if (failure) std::rethrow_exception(failure);
}

void run_threads(int threads, const std::function<void()>& work) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto guarded = [&] {
    try {
      work();
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int i = 1; i < threads; ++i) others.emplace_back(guarded);
    } catch (const std::system_error&) {  // go on with those that started
    }
    guarded();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace convtool
