#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/once.hpp"
#include "core/parallel.hpp"

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.hpp"

using stemzoo::parallel_for;
using stemzoo::with_work_ahead;
using stemzoo::worthwhile_threads;

TEST(threads_are_woken_for_enough_work) {
    CHECK(worthwhile_threads(0, 10, 4) == 1);
    CHECK(worthwhile_threads(19, 10, 4) == 1);
    CHECK(worthwhile_threads(20, 10, 4) == 2);
    CHECK(worthwhile_threads(1000, 10, 4) == 4);
    CHECK(worthwhile_threads(1000, 10, 1) == 1);
    CHECK(worthwhile_threads(1000, 1, 0) == std::min(1000u, stemzoo::hardware_threads()));
}

TEST(every_item_is_visited_once) {
    for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
        for (const unsigned threads : {0u, 1u, 2u, 5u}) {
            std::vector<std::atomic<int>> visits(count);
            parallel_for(count, threads, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i) ++visits[i];
            });
            for (const auto& v : visits) CHECK(v == 1);
        }
    }
}

TEST(exceptions_reach_the_caller) {
    for (const unsigned threads : {1u, 4u}) {
        const auto run = [&] {
            parallel_for(100, threads, 1, [](std::size_t begin, std::size_t end) {
                if (begin <= 50 && 50 < end) throw std::runtime_error("item 50");
            });
        };
        CHECK_THROWS(run(), std::runtime_error, "item 50");
    }
}

TEST(nested_calls_stay_on_their_thread) {
    std::atomic<int> total{0};
    parallel_for(8, 4, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto self = std::this_thread::get_id();
            parallel_for(10, 4, 1, [&](std::size_t b, std::size_t e) {
                CHECK(std::this_thread::get_id() == self);
                total += static_cast<int>(e - b);
            });
        }
    });
    CHECK(total == 80);
}

TEST(many_callers_share_the_pool) {
    std::atomic<int> total{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 6; ++i) {
        callers.emplace_back([&] {
            for (int k = 0; k < 20; ++k) {
                parallel_for(50, 3, 1, [&](std::size_t b, std::size_t e) {
                    total += static_cast<int>(e - b);
                });
            }
        });
    }
    for (auto& caller : callers) caller.join();
    CHECK(total == 6 * 20 * 50);
}

TEST(work_ahead_is_done_by_the_second_of_two_threads) {
    for (const unsigned threads : {1u, 2u, 3u}) {
        std::atomic<int> now{0}, ahead{0};
        with_work_ahead(threads, [&] { ++now; }, [&] { ++ahead; });
        CHECK(now == 1 && ahead == (threads == 2 ? 1 : 0));
    }
    std::atomic<int> now{0}, ahead{0};
    parallel_for(4, 2, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            with_work_ahead(2, [&] { ++now; }, [&] { ++ahead; });
        }
    });
    CHECK(now == 4 && ahead == 0);  // inside a job, both threads are busy
}

#if defined(__unix__)
TEST(a_forked_child_gets_a_pool_of_its_own) {
    const auto count = [] {
        std::atomic<int> total{0};
        parallel_for(64, 4, 1,
                     [&](std::size_t b, std::size_t e) { total += static_cast<int>(e - b); });
        return total.load();
    };
    CHECK(count() == 64);
    const pid_t child = fork();
    if (child == 0) _exit(count() == 64 ? 0 : 1);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

TEST(work_that_throws_is_done_by_the_next_call) {
    stemzoo::Once once;
    int done = 0;
    for (int call = 0; call < 4; ++call) {
        try {
            once([&] {
                if (call < 2) throw std::runtime_error("not yet");
                ++done;
            });
            CHECK(call >= 2);
        } catch (const std::runtime_error&) {
            CHECK(call < 2);
        }
    }
    CHECK(done == 1);
}
