// A device that is the host: see emulation.hpp.
#include <algorithm>
#include <cstring>

#include "cuda/emulation.hpp"
#include "cuda/queue.hpp"

namespace stemzoo::cuda {
namespace {

constexpr std::size_t header = 64;  // bytes before a block: its size

}  // namespace

Queue::Queue(int device, void* stream) : device_(device), stream_(stream) {}
Queue::~Queue() = default;

void Queue::copy(void* to, const void* from, std::size_t bytes) const {
    if (bytes > 0) std::memmove(to, from, bytes);
}
void Queue::clear(void* memory, std::size_t bytes) const {
    if (bytes > 0) std::memset(memory, 0, bytes);
}
void Queue::wait() const {}

void* allocate(Memory place, std::size_t bytes) {
    auto* const block =
        static_cast<char*>(::operator new(bytes + header, std::align_val_t{header}));
    std::memcpy(block, &bytes, sizeof bytes);
    std::memset(block + header, 0xff, bytes);
    if (place == Memory::device) {
        emulation::usage.now += bytes;
        emulation::usage.peak = std::max(emulation::usage.peak, emulation::usage.now);
    }
    return block + header;
}

void release(Memory place, int, void* memory) noexcept {
    char* const block = static_cast<char*>(memory) - header;
    std::size_t bytes = 0;
    std::memcpy(&bytes, block, sizeof bytes);
    if (place == Memory::device) emulation::usage.now -= bytes;
    ::operator delete(block, std::align_val_t{header});
}

Event::Event(const Queue&) {}
Event::~Event() = default;
void Event::record(const Queue&) {}
void Event::wait() const {}
void Event::make_wait(const Queue&) const {}

Graph::Graph(const Queue& queue, const std::function<void(const Queue&)>& work)
    : device_(queue.device()), work_(work) {}
Graph::~Graph() = default;
void Graph::launch(const Queue& queue) const { work_(queue); }

SideStream::SideStream(const Queue& queue) : device_(queue.device()) {}
SideStream::~SideStream() = default;

}  // namespace stemzoo::cuda
