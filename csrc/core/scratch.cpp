#include "core/scratch.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

namespace stemzoo {
namespace {

constexpr std::size_t alignment = 64;               // bytes: a cache line, and the widest vector
constexpr std::size_t most_bytes_kept = 96u << 20;  // a pair of 2048 x 2048 images needs half
constexpr std::size_t most_kept = 64;

struct Block {
    void* memory;
    std::size_t bytes;
};

void* allocate(std::size_t bytes) { return ::operator new(bytes, std::align_val_t{alignment}); }
void release(void* memory) noexcept { ::operator delete(memory, std::align_val_t{alignment}); }

struct Shelf {
    std::mutex mutex;
    std::vector<Block> blocks;
    std::size_t bytes = 0;

    // What was asked for longest ago: frames of another size may have come since.
    void drop_oldest() {
        release(blocks.front().memory);
        bytes -= blocks.front().bytes;
        blocks.erase(blocks.begin());
    }

    ~Shelf() {
        for (const Block& block : blocks) release(block.memory);
    }
};

Shelf& shelf() {
    static Shelf instance;
    return instance;
}

}  // namespace

// The lock is only tried: a forked child may inherit it locked for ever.
void* scratch_take(std::size_t& bytes) {
    bytes = std::max<std::size_t>((bytes + alignment - 1) / alignment * alignment, alignment);
    Shelf& kept = shelf();
    if (const std::unique_lock<std::mutex> lock(kept.mutex, std::try_to_lock); lock.owns_lock()) {
        auto best = kept.blocks.end();
        for (auto it = kept.blocks.begin(); it != kept.blocks.end(); ++it) {
            const bool fits = it->bytes >= bytes && it->bytes <= 2 * bytes;
            // Of equals the last one given back: it may still be in the cache.
            if (fits && (best == kept.blocks.end() || it->bytes <= best->bytes)) best = it;
        }
        if (best != kept.blocks.end()) {
            void* memory = best->memory;
            bytes = best->bytes;
            kept.bytes -= best->bytes;
            kept.blocks.erase(best);
            return memory;
        }
    }
    return allocate(bytes);
}

void scratch_give(void* memory, std::size_t bytes) noexcept {
    Shelf& kept = shelf();
    if (const std::unique_lock<std::mutex> lock(kept.mutex, std::try_to_lock); lock.owns_lock()) {
        if (bytes <= most_bytes_kept) {
            try {
                while (kept.bytes + bytes > most_bytes_kept || kept.blocks.size() >= most_kept) {
                    kept.drop_oldest();
                }
                kept.blocks.push_back({memory, bytes});
                kept.bytes += bytes;
                return;
            } catch (const std::bad_alloc&) {
            }
        }
    }
    release(memory);
}

}  // namespace stemzoo
