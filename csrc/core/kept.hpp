// A few shared objects that are expensive to make, kept to be found again. Safe from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace stemzoo {

template <typename Key, typename Value, std::size_t most_kept = 8>
class Kept {
  public:
    template <typename Make>
    std::shared_ptr<const Value> get(const Key& key, Make make) {
        {
            // Only tried, because a forked child may inherit the lock locked for ever.
            const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
            if (lock.owns_lock()) {
                for (const auto& entry : entries_) {
                    if (entry.first == key) return entry.second;
                }
            }
        }
        std::shared_ptr<const Value> made = make(key);
        const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
        if (lock.owns_lock()) {
            if (entries_.size() == most_kept) entries_.pop_front();
            entries_.emplace_back(key, made);
        }
        return made;
    }

  private:
    std::mutex mutex_;
    std::deque<std::pair<Key, std::shared_ptr<const Value>>> entries_;
};

}  // namespace stemzoo
