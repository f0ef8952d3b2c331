// Work that is done once, by the first thread that asks for it; others wait until it is done.
#pragma once

#include <atomic>
#include <mutex>

namespace stemzoo {

// Where the work throws, the next call does it again. std::call_once promises that too, but under
// MinGW the call after an exception waits for ever (GCC bug 66146).
class Once {
  public:
    template <typename Work>
    void operator()(Work&& work) {
        if (done_.load(std::memory_order_acquire)) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        if (done_.load(std::memory_order_relaxed)) return;
        work();
        done_.store(true, std::memory_order_release);
    }

  private:
    std::mutex mutex_;
    std::atomic<bool> done_{false};
};

}  // namespace stemzoo
