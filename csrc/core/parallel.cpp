#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#endif

namespace stemzoo {
namespace {

// Helpers and the calling thread take the next range from here until none is left.
struct Job {
    std::size_t count, step;
    const std::function<void(std::size_t, std::size_t)>* body;
    std::atomic<std::size_t> next{0};
    std::size_t helpers_left;
    std::exception_ptr error;
    std::mutex mutex;
    std::condition_variable finished;

    void work() {
        for (;;) {
            const std::size_t begin = next.fetch_add(step);
            if (begin >= count) return;
            try {
                (*body)(begin, std::min(begin + step, count));
            } catch (...) {
                const std::lock_guard<std::mutex> lock(mutex);
                if (!error) error = std::current_exception();
                next = count;
            }
        }
    }
};

thread_local bool inside_a_job = false;

class Pool {
  public:
    void run(Job& job, std::size_t helpers) {
        job.helpers_left = helpers;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            for (; threads_ < helpers; ++threads_) std::thread([this] { serve(); }).detach();
            for (std::size_t i = 0; i < helpers; ++i) queue_.push_back(&job);
        }
        wake_.notify_all();
        inside_a_job = true;
        job.work();
        inside_a_job = false;
        const std::size_t unclaimed = withdraw(&job);
        std::unique_lock<std::mutex> lock(job.mutex);
        job.helpers_left -= unclaimed;
        job.finished.wait(lock, [&] { return job.helpers_left == 0; });
    }

  private:
    // Entries no thread has taken yet: with all work done, waiting for them would only cost time.
    std::size_t withdraw(const Job* job) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto left = std::remove(queue_.begin(), queue_.end(), job);
        const auto count = static_cast<std::size_t>(queue_.end() - left);
        queue_.erase(left, queue_.end());
        return count;
    }

    [[noreturn]] void serve() {
        inside_a_job = true;
        for (;;) {
            std::unique_lock<std::mutex> lock(mutex_);
            wake_.wait(lock, [&] { return !queue_.empty(); });
            Job* job = queue_.front();
            queue_.pop_front();
            lock.unlock();
            job->work();
            // Notified under the lock: the caller destroys the job as soon as it sees zero.
            const std::lock_guard<std::mutex> done(job->mutex);
            if (--job->helpers_left == 0) job->finished.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job*> queue_;
    std::size_t threads_ = 0;
};

// The threads run this library's code until the process ends.
void stay_in_memory() {
#if defined(_WIN32)
    HMODULE self = nullptr;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                       reinterpret_cast<const wchar_t*>(&stay_in_memory), &self);
#endif  // elsewhere, a library is linked so (-z nodelete)
}

Pool*& pool_slot();

Pool* make_pool() {
#if defined(__unix__) || defined(__APPLE__)
    // A forked child has the pool's memory but none of its threads: it starts over with a new pool.
    static const int registered = pthread_atfork(nullptr, nullptr, [] {
        pool_slot() = new Pool;
        inside_a_job = false;
    });
    (void)registered;
#endif
    stay_in_memory();
    return new Pool;
}

// Never destroyed. A destructor would have to wait for the threads, and when Windows calls it, on
// unloading a DLL or at the end of the process, they cannot end: that takes the lock its caller
// holds, or they have been stopped already, wherever they were.
Pool*& pool_slot() {
    static Pool* pool = make_pool();
    return pool;
}

}  // namespace

unsigned hardware_threads() {
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
    }
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

unsigned worthwhile_threads(std::size_t items, std::size_t items_each, unsigned threads) {
    const std::size_t most = threads == 0 ? hardware_threads() : threads;
    return static_cast<unsigned>(std::clamp<std::size_t>(items / items_each, 1, most));
}

void parallel_for(std::size_t count, unsigned threads, std::size_t grain,
                  const std::function<void(std::size_t, std::size_t)>& body) {
    if (count == 0) return;
    if (threads == 0) threads = hardware_threads();
    grain = std::max<std::size_t>(grain, 1);
    const std::size_t useful = std::min<std::size_t>(threads, (count + grain - 1) / grain);
    if (useful <= 1 || inside_a_job) {
        body(0, count);
        return;
    }
    Job job;
    job.count = count;
    // A few ranges a thread even out unequal progress.
    job.step = std::max(grain, (count + 4 * useful - 1) / (4 * useful));
    job.body = &body;
    pool_slot()->run(job, useful - 1);
    if (job.error) std::rethrow_exception(job.error);
}

void with_work_ahead(unsigned threads, const std::function<void()>& now,
                     const std::function<void()>& ahead) {
    if (threads != 2 || inside_a_job) {
        now();
        return;
    }
    parallel_for(2, threads, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) (i == 0 ? now : ahead)();
    });
}

}  // namespace stemzoo
