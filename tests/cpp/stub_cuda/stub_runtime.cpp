// A CUDA runtime whose devices are the host, as unhelpful as the true one is allowed to be: work on
// a stream is done when somebody has to wait for it and no sooner, or, with
// STUB_CUDA_SCHEDULE=eager, as soon as nothing is in its way. So whoever forgets to wait, or uses
// memory again too early, gets wrong numbers. Memory is filled with bytes that make every number
// absurd, before and after.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cuda/emulation.hpp"
#include "cuda_runtime_api.h"

namespace {

using Work = std::function<void()>;

struct Recorded {  // one record of an event
    bool done = false;
    cudaStream_t stream = nullptr;
};
using Record = std::shared_ptr<Recorded>;

struct Step {
    Work work;
    Record waits_for;
};

}  // namespace

struct StubStream {
    std::deque<Step> steps;
    StubGraph* capture = nullptr;
};
struct StubEvent {
    Record last;
};
struct StubGraph {
    std::vector<Work> steps;
};

namespace {

struct Block {
    std::size_t bytes;
    int device;  // -1: pinned
};

struct Runtime {
    std::recursive_mutex mutex;
    StubStream legacy;
    std::set<StubStream*> streams{&legacy};
    std::map<char*, Block> blocks;
    bool eager = [] {
        const char* const asked = std::getenv("STUB_CUDA_SCHEDULE");
        return asked != nullptr && std::strcmp(asked, "eager") == 0;
    }();

    const Block* block_of(const void* memory) const {
        char* const at = static_cast<char*>(const_cast<void*>(memory));
        auto after = blocks.upper_bound(at);
        if (after == blocks.begin()) return nullptr;
        const auto& [begin, block] = *std::prev(after);
        return at < begin + block.bytes ? &block : nullptr;
    }
};

Runtime& runtime() {
    static Runtime* const instance = new Runtime;
    return *instance;
}

thread_local int current_device = 0;

StubStream* stream_of(cudaStream_t stream) {
    return stream == nullptr ? &runtime().legacy : stream;
}

void run_first(StubStream* stream);

void finish(const Record& record) {
    while (!record->done) run_first(stream_of(record->stream));
}

void run_first(StubStream* stream) {
    const Step step = std::move(stream->steps.front());
    stream->steps.pop_front();
    if (step.waits_for) finish(step.waits_for);
    if (step.work) step.work();
}

void finish(StubStream* stream) {
    while (!stream->steps.empty()) run_first(stream);
}

void run_what_can() {
    for (StubStream* const stream : runtime().streams) {
        while (!stream->steps.empty()) {
            const Record& record = stream->steps.front().waits_for;
            if (record && !record->done) break;
            run_first(stream);
        }
    }
}

cudaError_t submit(cudaStream_t to, Work work, Record waits_for = nullptr) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    StubStream* const stream = stream_of(to);
    if (stream->capture != nullptr) {
        stream->capture->steps.push_back(std::move(work));
        return cudaSuccess;
    }
    stream->steps.push_back({std::move(work), std::move(waits_for)});
    if (runtime().eager) run_what_can();
    return cudaSuccess;
}

bool capturing() {
    for (const StubStream* const stream : runtime().streams) {
        if (stream->capture != nullptr) return true;
    }
    return false;
}

cudaError_t take(void** memory, std::size_t bytes, int device) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    if (capturing()) return cudaErrorStreamCaptureUnsupported;
    char* const block = static_cast<char*>(std::malloc(bytes));
    std::memset(block, 0xff, bytes);
    runtime().blocks[block] = {bytes, device};
    *memory = block;
    return cudaSuccess;
}

// As the true one does, it waits for everything first.
cudaError_t give(void* memory) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    for (StubStream* const stream : runtime().streams) finish(stream);
    const auto found = runtime().blocks.find(static_cast<char*>(memory));
    if (found == runtime().blocks.end()) return cudaErrorInvalidValue;
    std::memset(memory, 0xff, found->second.bytes);
    runtime().blocks.erase(found);
    std::free(memory);
    return cudaSuccess;
}

// Kernels are walked by loops when their turn comes.
const bool kernels_are_submitted = [] {
    stemzoo::cuda::emulation::submit = [](void* stream, const Work& work) {
        (void)submit(static_cast<cudaStream_t>(stream), work);
    };
    return true;
}();

}  // namespace

cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t) { return "an error of the stub"; }
const char* cudaGetErrorName(cudaError_t) { return "stub"; }
cudaError_t cudaGetDeviceCount(int* count) {
    *count = 2;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
    *device = current_device;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device > 1) return cudaErrorInvalidDevice;
    current_device = device;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    *properties = {"stub of a GPU", 9, 0};
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    *free = *total = std::size_t{1} << 34;
    return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    const Block* const block = runtime().block_of(memory);
    const bool there = block != nullptr && block->device >= 0;
    *attributes = {there ? cudaMemoryTypeDevice : cudaMemoryTypeHost, there ? block->device : -1};
    return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    return take(memory, bytes, current_device);
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) { return take(memory, bytes, -1); }
cudaError_t cudaFree(void* memory) { return give(memory); }
cudaError_t cudaFreeHost(void* memory) { return give(memory); }

// Pageable memory of the host is read before the call returns, and written before it does.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    const bool from_pageable = runtime().block_of(from) == nullptr,
               to_pageable = runtime().block_of(to) == nullptr;
    if ((from_pageable || to_pageable) && stream_of(stream)->capture != nullptr) {
        return cudaErrorStreamCaptureUnsupported;
    }
    if (to_pageable) {
        finish(stream_of(stream));
        std::memcpy(to, from, bytes);
        return cudaSuccess;
    }
    if (!from_pageable) return submit(stream, [=] { std::memmove(to, from, bytes); });
    const auto* const begin = static_cast<const char*>(from);
    const auto held = std::make_shared<std::vector<char>>(begin, begin + bytes);
    return submit(stream, [=] { std::memcpy(to, held->data(), bytes); });
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
    return submit(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    *stream = new StubStream;
    runtime().streams.insert(*stream);
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    finish(stream);
    runtime().streams.erase(stream);
    delete stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    if (stream_of(stream)->capture != nullptr) return cudaErrorStreamCaptureUnsupported;
    finish(stream_of(stream));
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    return event->last ? submit(stream, nullptr, event->last) : cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new StubEvent;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const Record record = std::make_shared<Recorded>();
    record->stream = stream;
    event->last = record;
    return submit(stream, [record] { record->done = true; });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    if (event->last) finish(event->last);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (stream == nullptr) return cudaErrorStreamCaptureUnsupported;
    stream->capture = new StubGraph;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    *graph = std::exchange(stream->capture, nullptr);
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* recorded, cudaGraph_t graph, unsigned long long) {
    *recorded = new StubGraph(*graph);
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t recorded) {
    const std::lock_guard<std::recursive_mutex> lock(runtime().mutex);
    for (StubStream* const stream : runtime().streams) finish(stream);
    delete recorded;
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t recorded, cudaStream_t stream) {
    for (const Work& work : recorded->steps) (void)submit(stream, work);
    return cudaSuccess;
}
