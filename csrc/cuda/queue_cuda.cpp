#include "cuda/check.hpp"
#include "cuda/queue.hpp"

namespace stemzoo::cuda {
namespace {

cudaStream_t stream_of(const Queue& queue) { return static_cast<cudaStream_t>(queue.stream()); }
cudaEvent_t event_of(void* event) { return static_cast<cudaEvent_t>(event); }

}  // namespace

Queue::Queue(int device, void* stream) : device_(device), stream_(stream) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
}

Queue::~Queue() { (void)cudaSetDevice(before_); }

void Queue::copy(void* to, const void* from, std::size_t bytes) const {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(*this)), "cudaMemcpyAsync");
}

void Queue::clear(void* memory, std::size_t bytes) const {
    if (bytes == 0) return;
    check(cudaMemsetAsync(memory, 0, bytes, stream_of(*this)), "cudaMemsetAsync");
}

void Queue::wait() const { check(cudaStreamSynchronize(stream_of(*this)), "a kernel"); }

void* allocate(Memory place, std::size_t bytes) {
    void* memory = nullptr;
    if (place == Memory::device) {
        check(cudaMalloc(&memory, bytes), "cudaMalloc");
    } else {
        check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
    }
    return memory;
}

void release(Memory place, int device, void* memory) noexcept {
    int before = 0;
    if (cudaGetDevice(&before) != cudaSuccess || cudaSetDevice(device) != cudaSuccess) return;
    (void)(place == Memory::device ? cudaFree(memory) : cudaFreeHost(memory));
    (void)cudaSetDevice(before);
}

Event::Event(const Queue&) {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    event_ = event;
}

Event::~Event() { (void)cudaEventDestroy(event_of(event_)); }

void Event::record(const Queue& queue) {
    check(cudaEventRecord(event_of(event_), stream_of(queue)), "cudaEventRecord");
}

void Event::wait() const { check(cudaEventSynchronize(event_of(event_)), "cudaEventSynchronize"); }

void Event::make_wait(const Queue& queue) const {
    check(cudaStreamWaitEvent(stream_of(queue), event_of(event_), 0), "cudaStreamWaitEvent");
}

// On a stream of its own: the legacy default stream cannot be recorded.
Graph::Graph(const Queue& queue, const std::function<void(const Queue&)>& work)
    : device_(queue.device()) {
    const SideStream side(queue);
    const auto stream = static_cast<cudaStream_t>(side.stream());
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
        work(Queue(device_, side.stream()));
    } catch (...) {
        (void)cudaStreamEndCapture(stream, &graph);
        if (graph != nullptr) (void)cudaGraphDestroy(graph);
        (void)cudaGetLastError();
        throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    cudaGraphExec_t recorded = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&recorded, graph, 0);
    (void)cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
    recorded_ = recorded;
}

Graph::~Graph() {
    if (recorded_ != nullptr) (void)cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(recorded_));
}

void Graph::launch(const Queue& queue) const {
    check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(recorded_), stream_of(queue)),
          "cudaGraphLaunch");
}

SideStream::SideStream(const Queue& queue) : device_(queue.device()) {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
    stream_ = stream;
}

SideStream::~SideStream() { (void)cudaStreamDestroy(static_cast<cudaStream_t>(stream_)); }

}  // namespace stemzoo::cuda
