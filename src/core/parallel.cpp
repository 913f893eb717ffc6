#include "core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
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

  /// Adds a task of `job`, any address that stands for what its tasks have in common.
  void submit(const void* job, std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back({job, std::move(task)});
      wanted_ = true;
    }
    wake_.notify_one();
  }

  /// Removes the tasks of `job` that no worker has begun, and returns their number.
  std::int64_t withdraw(const void* job) {
    std::lock_guard lock(mutex_);
    const auto removed = std::erase_if(tasks_, [job](const Task& task) { return task.job == job; });
    wanted_ = stopping_ || !tasks_.empty();
    return static_cast<std::int64_t>(removed);
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
  struct Task {
    const void* job;
    std::function<void()> run;
  };

  void work() {
    while (true) {
      look_for([this] { return wanted_.load(); });
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      wanted_ = stopping_ || !tasks_.empty();
      lock.unlock();
      task.run();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::atomic<bool> wanted_ = false;  // there are tasks, or it is time to stop: read without the lock
};

/// The number of threads to run `count` items on: at most `threads`, 0 meaning one per core, and no more than the
/// system grants.
std::int64_t grant_threads(std::int64_t count, int threads) {
  const std::int64_t wanted = std::min<std::int64_t>(count, threads == 0 ? available_cores() : threads);
  if (wanted <= 1) return wanted;
  const std::size_t workers = Pool::instance().grow_to(static_cast<std::size_t>(wanted - 1));
  return std::min(wanted, static_cast<std::int64_t>(workers) + 1);
}

/// Calls body(part) for the parts [0, parts), part 0 on this thread and the others on workers, and waits for them. Drops
/// those that no worker has begun when part 0 is done.
void run_parts(std::int64_t parts, const std::function<void(std::int64_t)>& body) {
  std::mutex mutex;
  std::condition_variable finished;
  std::atomic<std::int64_t> running = 0;
  std::exception_ptr failure;
  const auto run_part = [&](std::int64_t part) {
    try {
      body(part);
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
      Pool::instance().submit(&running, [&run_in_worker, part] { run_in_worker(part); });
    } catch (...) {  // no memory for the task: run it in this thread
      run_in_worker(part);
    }
  }
  run_part(0);
  running -= Pool::instance().withdraw(&running);
  look_for([&] { return running == 0; });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return running == 0; });
  if (failure) std::rethrow_exception(failure);
}

/// Fewer than WorkShare can tell apart.
constexpr std::int64_t kMostShared = std::int64_t{1} << 31;

/// share_work() for at most kMostShared items.
void share_some(const Range& items, int threads, const std::function<void(WorkShare&)>& body) {
  const std::int64_t count = items.size(), parts = grant_threads(count, threads);
  std::vector<WorkShare> shares(static_cast<std::size_t>(parts));
  for (std::int64_t part = 0; part < parts; ++part) {
    shares[static_cast<std::size_t>(part)].begin(
        shares, items.begin, {items.begin + count * part / parts, items.begin + count * (part + 1) / parts});
  }
  const auto run_share = [&](std::int64_t part) { body(shares[static_cast<std::size_t>(part)]); };
  if (parts <= 1) return run_share(0);
  run_parts(parts, run_share);
}

}  // namespace

int available_cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& body) {
  const std::int64_t parts = grant_threads(count, threads);
  share_work(parts, threads, [&](WorkShare& share) {
    for (Range part = share.take(); !part.is_empty(); part = share.take())
      body(count * part.begin / parts, count * part.end / parts);
  });
}

void share_work(std::int64_t count, int threads, const std::function<void(WorkShare&)>& body) {
  for (std::int64_t first = 0; first < count; first += kMostShared)
    share_some({first, std::min(count, first + kMostShared)}, threads, body);
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
