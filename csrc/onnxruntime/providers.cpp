#include "onnxruntime/providers.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/shared_library.hpp"
#include "onnxruntime/owned.hpp"

namespace stemzoo::onnxruntime {
namespace {

constexpr const char* cpu = "CPUExecutionProvider";

// Options as ONNX Runtime takes them.
struct Pairs {
    explicit Pairs(const Provider& provider) {
        for (const auto& [key, value] : provider.options) {
            keys.push_back(key.c_str());
            values.push_back(value.c_str());
        }
    }
    std::size_t count() const { return keys.size(); }

    std::vector<const char*> keys, values;
};

std::vector<std::string> built_in(const Runtime& runtime) {
    char** names = nullptr;
    int count = 0;
    runtime.check(runtime.api.GetAvailableProviders(&names, &count));
    std::vector<std::string> found(names, names + count);
    runtime.check(runtime.api.ReleaseAvailableProviders(names, count));
    return found;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

// The name by which AppendExecutionProvider knows a provider in every version.
std::string short_name(const std::string& name) {
    static const std::map<std::string, std::string> special{
        {"AzureExecutionProvider", "AZURE"},
        {"DmlExecutionProvider", "DML"},
        {"WebGpuExecutionProvider", "WebGPU"},
        {"XnnpackExecutionProvider", "XNNPACK"}};
    if (const auto found = special.find(name); found != special.end()) return found->second;
    const std::string end = "ExecutionProvider";
    const bool whole =
        name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
    return whole ? name.substr(0, name.size() - end.size()) : name;
}

// CUDA and TensorRT, whose options are objects of their own.
struct ConfiguredBy {
    decltype(Api::CreateCUDAOptions) create;
    decltype(Api::UpdateCUDAOptions) update;
    decltype(Api::AppendCUDA) append;
    decltype(Api::ReleaseCUDAOptions) release;
};

void append_configured(const Runtime& runtime, const ConfiguredBy& by, const Pairs& pairs,
                       OrtSessionOptions* options) {
    const Owned<OrtProviderConfig> config = made(runtime, by.create, by.release);
    runtime.check(by.update(config.get(), pairs.keys.data(), pairs.values.data(), pairs.count()));
    runtime.check(by.append(options, config.get()));
}

void append_built_in(const Runtime& runtime, const Provider& provider, OrtSessionOptions* options) {
    const std::vector<std::string> available = built_in(runtime);
    if (std::find(available.begin(), available.end(), provider.name) == available.end()) {
        throw Unavailable("it has " + joined(available) +
                          "; give one of these, or the library of a plug-in");
    }
    const Api& api = runtime.api;
    const Pairs pairs(provider);
    if (provider.name == "CUDAExecutionProvider") {
        append_configured(
            runtime,
            {api.CreateCUDAOptions, api.UpdateCUDAOptions, api.AppendCUDA, api.ReleaseCUDAOptions},
            pairs, options);
    } else if (provider.name == "TensorrtExecutionProvider") {
        append_configured(runtime,
                          {api.CreateTensorRTOptions, api.UpdateTensorRTOptions, api.AppendTensorRT,
                           api.ReleaseTensorRTOptions},
                          pairs, options);
    } else {
        runtime.check(api.AppendExecutionProvider(options, short_name(provider.name).c_str(),
                                                  pairs.keys.data(), pairs.values.data(),
                                                  pairs.count()));
    }
}

// Once a process and library: ONNX Runtime refuses to do it again.
void register_library(const Runtime& runtime, const std::string& library) {
    static std::mutex mutex;
    static std::vector<std::string> registered;
    const std::lock_guard<std::mutex> lock(mutex);
    if (std::find(registered.begin(), registered.end(), library) != registered.end()) return;
    runtime.check(runtime.plugins->RegisterExecutionProviderLibrary(runtime.env, library.c_str(),
                                                                    path_of(library).c_str()));
    registered.push_back(library);
}

void append_plugin(const Runtime& runtime, const Provider& provider, OrtSessionOptions* options) {
    if (!runtime.plugins) {
        throw Unavailable("plug-ins need ONNX Runtime 1.22 or later");
    }
    register_library(runtime, provider.library);
    const OrtEpDevice* const* devices = nullptr;
    std::size_t count = 0;
    runtime.check(runtime.plugins->GetEpDevices(runtime.env, &devices, &count));
    std::vector<const OrtEpDevice*> own;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        names.emplace_back(runtime.plugins->EpDevice_EpName(devices[i]));
        if (names.back() == provider.name) own.push_back(devices[i]);
    }
    if (own.empty()) {
        throw Unavailable(provider.library + " offers no device for it; there are devices for " +
                          joined(names));
    }
    const Pairs pairs(provider);
    // One device: providers refuse several of their own.
    runtime.check(runtime.plugins->AppendExecutionProvider_V2(options, runtime.env, own.data(), 1,
                                                              pairs.keys.data(),
                                                              pairs.values.data(), pairs.count()));
}

void append(const Runtime& runtime, const Provider& provider, OrtSessionOptions* options) {
    try {
        if (provider.library.empty()) {
            append_built_in(runtime, provider, options);
        } else {
            append_plugin(runtime, provider, options);
        }
    } catch (const std::runtime_error& error) {
        throw Unavailable(provider.name + " cannot be used by ONNX Runtime " + runtime.version +
                          " (" + runtime.path + "): " + error.what());
    }
}

}  // namespace

void append_providers(const Runtime& runtime, const std::vector<Provider>& providers,
                      OrtSessionOptions* options) {
    for (const Provider& provider : providers) {
        if (provider.name != cpu) {
            append(runtime, provider, options);
        } else if (&provider != &providers.back()) {
            throw Unavailable(std::string(cpu) +
                              " does all that comes after it; give it as the last provider, or "
                              "leave it out");
        }
    }
}

}  // namespace stemzoo::onnxruntime
