// Frames of the host on their way to a GPU: packed into pinned memory, and copied from there on a
// stream of their own while the frames before are worked on.
#pragma once

#include <array>
#include <cstring>

#include "cuda/frames.hpp"
#include "cuda/queue.hpp"

namespace stemzoo::cuda {

// Every pixel of a row, whatever its stride.
inline void pack_row(const Frames& frames, std::size_t frame, std::size_t row, char* to) {
    const auto bytes = static_cast<std::ptrdiff_t>(frames.pixel_bytes());
    const char* from = static_cast<const char*>(frames.data) +
                       (static_cast<std::ptrdiff_t>(frame) * frames.frame_stride +
                        static_cast<std::ptrdiff_t>(row) * frames.row_stride) *
                           bytes;
    const auto size = static_cast<std::size_t>(bytes);
    if (frames.col_stride == 1) {
        std::memcpy(to, from, frames.shape.cols * size);
        return;
    }
    for (std::size_t col = 0; col < frames.shape.cols; ++col) {
        std::memcpy(to + col * size, from, size);
        from += frames.col_stride * bytes;
    }
}

class Staging {
  public:
    // For so many bytes at a time. What is staged once needs no second slot.
    Staging(const Queue& queue, std::size_t bytes, bool several)
        : side_(queue), slots_{Slot(queue, bytes), Slot(queue, several ? bytes : 0)} {}

    // The frames on the device, for work on `queue`. Two calls later their memory is used again:
    // `used` says that the work is on the queue.
    Frames staged(const Queue& queue, const Frames& frames) {
        Slot& slot = slots_[next_];
        slot.copied.wait();
        char* to = slot.pinned.data();
        const std::size_t row_bytes = frames.shape.cols * frames.pixel_bytes();
        for (std::size_t frame = 0; frame < frames.count; ++frame) {
            for (std::size_t row = 0; row < frames.shape.rows; ++row, to += row_bytes) {
                pack_row(frames, frame, row, to);
            }
        }
        const Queue copies(queue.device(), side_.stream());
        slot.used.make_wait(copies);
        copies.copy(slot.memory.data(), slot.pinned.data(),
                    static_cast<std::size_t>(to - slot.pinned.data()));
        slot.copied.record(copies);
        slot.copied.make_wait(queue);
        return frames.packed(slot.memory.data());
    }
    void used(const Queue& queue) {
        slots_[next_].used.record(queue);
        if (slots_[1].pinned.size() > 0) next_ = 1 - next_;
    }

    std::size_t bytes() const { return slots_[0].memory.bytes() + slots_[1].memory.bytes(); }

  private:
    struct Slot {
        Slot(const Queue& queue, std::size_t bytes)
            : pinned(queue, bytes), memory(queue, bytes), copied(queue), used(queue) {}
        Pinned<char> pinned;
        Buffer<char> memory;
        Event copied, used;  // an event that was never recorded is over
    };

    SideStream side_;
    std::array<Slot, 2> slots_;
    std::size_t next_ = 0;
};

}  // namespace stemzoo::cuda
