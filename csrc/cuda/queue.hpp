// A stream of one GPU and the memory that its work needs: all that this module asks of CUDA but for
// launches and transforms. queue_cuda.cpp talks to CUDA; queue_emulated.cpp does the same on the
// host.
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <string>
#include <utility>

namespace stemzoo::cuda {

struct OutOfMemory : std::bad_alloc {
    explicit OutOfMemory(std::string what) : text(std::move(what)) {}
    const char* what() const noexcept override { return text.c_str(); }
    std::string text;
};

// While one lives, its device is the current one of this thread; the one before comes back after.
class Queue {
  public:
    Queue(int device, void* stream);  // null: the legacy default stream
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    int device() const { return device_; }
    void* stream() const { return stream_; }

    // In the order of the queue; either side may be the host's. Of pinned memory it does not wait.
    void copy(void* to, const void* from, std::size_t bytes) const;
    void clear(void* memory, std::size_t bytes) const;
    void wait() const;

  private:
    int device_, before_ = 0;
    void* stream_;
};

// Where memory lies.
enum class Memory { device, pinned };

void* allocate(Memory place, std::size_t bytes);
void release(Memory place, int device, void* memory) noexcept;

// Memory of the device, its contents undefined.
template <typename T, Memory place = Memory::device>
class Buffer {
  public:
    Buffer() = default;
    Buffer(const Queue& queue, std::size_t count)
        : device_(queue.device()), count_(count), data_(taken(count)) {}
    Buffer(Buffer&& other) noexcept
        : device_(other.device_),
          count_(std::exchange(other.count_, 0)),
          data_(std::exchange(other.data_, nullptr)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(count_, other.count_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~Buffer() {
        if (data_ != nullptr) release(place, device_, data_);
    }

    T* data() const { return data_; }
    std::size_t size() const { return count_; }
    std::size_t bytes() const { return count_ * sizeof(T); }

  private:
    static T* taken(std::size_t count) {
        return count == 0 ? nullptr : static_cast<T*>(allocate(place, count * sizeof(T)));
    }

    int device_ = 0;
    std::size_t count_ = 0;
    T* data_ = nullptr;
};

template <typename T>
using Pinned = Buffer<T, Memory::pinned>;

// Work of another queue that this one waits for, or the host does.
class Event {
  public:
    explicit Event(const Queue& queue);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record(const Queue& queue);
    void wait() const;                         // the host
    void make_wait(const Queue& queue) const;  // the queue

  private:
    void* event_ = nullptr;
};

// Work that is recorded once and started as a whole: a CUDA graph. What it reads and writes stays
// where it was, and nothing of it may wait for the host.
class Graph {
  public:
    Graph(const Queue& queue, const std::function<void(const Queue&)>& work);
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    void launch(const Queue& queue) const;

  private:
    int device_;
    void* recorded_ = nullptr;
    std::function<void(const Queue&)> work_;  // where the device is emulated
};

// A stream beside the caller's, for copies.
class SideStream {
  public:
    explicit SideStream(const Queue& queue);
    ~SideStream();
    SideStream(const SideStream&) = delete;
    SideStream& operator=(const SideStream&) = delete;

    void* stream() const { return stream_; }

  private:
    int device_;
    void* stream_ = nullptr;
};

}  // namespace stemzoo::cuda
