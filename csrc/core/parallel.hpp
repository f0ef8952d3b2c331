// One pool of threads for the whole core. How work is cut depends on the number of threads, so a
// body must compute each item alike in whichever range it comes.
#pragma once

#include <cstddef>
#include <functional>

namespace stemzoo {

// Cores this process may use.
unsigned hardware_threads();

// How many of `threads` (0: all cores) are worth waking for `items` of work, of which a thread
// should have at least `items_each`. At least one.
unsigned worthwhile_threads(std::size_t items, std::size_t items_each, unsigned threads);

// Pixels that a thread should have of work such as a transform. On fewer, waking another thread and
// handing it what lies in this one's cache costs more than it saves.
inline constexpr std::size_t pixels_a_thread = std::size_t{1} << 17;

// Calls body(begin, end) over disjoint ranges covering [0, count), on up to `threads` threads
// (0: all cores). `grain` is the least number of items worth handing to another thread.
// The first exception thrown by a body is rethrown here. A nested call runs on its own thread.
void parallel_for(std::size_t count, unsigned threads, std::size_t grain,
                  const std::function<void(std::size_t begin, std::size_t end)>& body);

// Calls `now` and, where there are two threads, at the same time `ahead`: work that is otherwise
// done when its result is asked for. More threads than two share `now` itself.
void with_work_ahead(unsigned threads, const std::function<void()>& now,
                     const std::function<void()>& ahead);

}  // namespace stemzoo
