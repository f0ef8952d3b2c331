#include "onnxruntime/session.hpp"

#include <functional>
#include <numeric>

#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace stemzoo::onnxruntime {
namespace {

long this_process() {
#if defined(_WIN32)
    return 0;  // there is no fork
#else
    return static_cast<long>(getpid());
#endif
}

// As in python/stemzoo/inference/session.py: the same options give the same bits.
Owned<OrtSessionOptions> configured(const Runtime& runtime, const SessionOptions& options) {
    const Api& api = runtime.api;
    Owned<OrtSessionOptions> made_options =
        made(runtime, api.CreateSessionOptions, api.ReleaseSessionOptions);
    OrtSessionOptions* const to = made_options.get();
    runtime.check(api.SetSessionLogSeverityLevel(to, log_errors));
    runtime.check(api.SetIntraOpNumThreads(to, static_cast<int>(options.threads)));
    // Otherwise it guesses from the bytes, and could take them for another format than was
    // examined.
    runtime.check(api.AddSessionConfigEntry(to, "session.load_model_format", "ONNX"));
    // Threads that wait for more work by spinning take the cores from whatever comes next.
    runtime.check(api.AddSessionConfigEntry(to, "session.intra_op.allow_spinning", "0"));
    append_providers(runtime, options.providers, to);
    return made_options;
}

Owned<OrtSession> opened(const Runtime& runtime, const void* model, std::size_t size,
                         const SessionOptions& options) {
    const Owned<OrtSessionOptions> settings = configured(runtime, options);
    const OrtEnv* const env = runtime.env;
    return made(runtime, runtime.api.CreateSessionFromArray, runtime.api.ReleaseSession, env, model,
                size, static_cast<const OrtSessionOptions*>(settings.get()));
}

std::vector<std::int64_t> shape_of(const Runtime& runtime, const OrtValue* value) {
    const Api& api = runtime.api;
    const Owned<OrtTensorShape> info =
        made(runtime, api.GetTensorTypeAndShape, api.ReleaseTensorTypeAndShapeInfo, value);
    int element = 0;
    runtime.check(api.GetTensorElementType(info.get(), &element));
    if (element != element_float) {
        throw Failed("the network gave numbers of type " + std::to_string(element) +
                     "; expected float32");
    }
    std::size_t rank = 0;
    runtime.check(api.GetDimensionsCount(info.get(), &rank));
    std::vector<std::int64_t> shape(rank);
    runtime.check(api.GetDimensions(info.get(), shape.data(), rank));
    return shape;
}

}  // namespace

std::size_t Tensor::size() const {
    return static_cast<std::size_t>(
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

Session::Session(const void* model, std::size_t size, const SessionOptions& options)
    : runtime_(Runtime::load()),
      session_(opened(runtime_, model, size, options)),
      process_(this_process()) {}

Session::~Session() {
    // In a forked child, closing it would wait for threads that only the parent has.
    if (process_ != this_process()) (void)session_.release();
}

Tensor Session::run(const char* input, const float* data, const std::vector<std::int64_t>& shape,
                    const char* output) const {
    if (process_ != this_process()) {
        throw Failed("the model was opened in process " + std::to_string(process_) +
                     ", of which this one is a fork, and ONNX Runtime does not survive that; open "
                     "models after the fork");
    }
    const Api& api = runtime_.api;
    Tensor result;
    result.shape = shape;
    const std::size_t bytes = result.size() * sizeof(float);
    const OrtMemoryInfo* const memory = runtime_.memory;
    // ONNX Runtime only reads it.
    void* const given = const_cast<float*>(data);
    const Owned<OrtValue> tensor =
        made(runtime_, api.CreateTensorWithDataAsOrtValue, api.ReleaseValue, memory, given, bytes,
             shape.data(), shape.size(), element_float);
    const OrtValue* const inputs = tensor.get();
    OrtValue* made_value = nullptr;
    runtime_.check(api.Run(session_.get(), nullptr, &input, &inputs, 1, &output, 1, &made_value));
    result.value = {made_value, api.ReleaseValue};
    result.shape = shape_of(runtime_, made_value);
    void* pixels = nullptr;
    runtime_.check(api.GetTensorMutableData(made_value, &pixels));
    result.data = static_cast<const float*>(pixels);
    return result;
}

}  // namespace stemzoo::onnxruntime
