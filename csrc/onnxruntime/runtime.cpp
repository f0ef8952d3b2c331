#include "onnxruntime/runtime.hpp"

#include <cstdio>
#include <mutex>
#include <system_error>

#include "core/shared_library.hpp"
#include "onnxruntime/places.hpp"

namespace stemzoo::onnxruntime {
namespace {

constexpr int least_major = 1, least_minor = 19;

struct Version {
    int major = 0, minor = 0;

    explicit Version(const char* text) { std::sscanf(text, "%d.%d", &major, &minor); }
    bool at_least(int wanted_major, int wanted_minor) const {
        return major != wanted_major ? major > wanted_major : minor >= wanted_minor;
    }
};

bool same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    return std::filesystem::equivalent(path_of(a), path_of(b), error);
}

constexpr const char* advice =
    "; name the shared library of ONNX Runtime 1.19 or later by stemzoo_runtime_load(path) or the "
    "environment variable STEMZOO_ORT, or put it beside stemzoo's";

}  // namespace

Runtime::Runtime(const Entry* table, const ApiBase& base, std::string file)
    : api(table), version(base.GetVersionString()), path(std::move(file)) {
    // Asked for what it has not, GetApi would complain on the console.
    if (Version(version.c_str()).at_least(1, static_cast<int>(plugin_api_version))) {
        if (const Entry* const plugin_table = base.GetApi(plugin_api_version)) {
            plugins.emplace(plugin_table);
        }
    }
    check(api.CreateEnv(log_errors, "stemzoo", &env));
    check(api.CreateCpuMemoryInfo(arena_allocator, default_memory, &memory));
}

void Runtime::check(OrtStatus* status) const {
    if (status == nullptr) return;
    const std::unique_ptr<OrtStatus, decltype(api.ReleaseStatus)> owned(status, api.ReleaseStatus);
    throw Failed(std::string("ONNX Runtime ") + version + ": " + api.GetErrorMessage(status));
}

// Null, and the reason, where the file is not what is wanted.
const Runtime* Runtime::open_file(const std::string& path, std::string& reason) {
    const Opened opened = open_library(path_of(path));
    if (opened.library == nullptr) {
        reason = opened.error;
        return nullptr;
    }
    const Function function = function_of(opened.library, "OrtGetApiBase");
    if (function == nullptr) {
        reason = "it has no OrtGetApiBase, so it is not ONNX Runtime";
        return nullptr;
    }
    const ApiBase& base = *reinterpret_cast<GetApiBase>(function)();
    const std::string version = base.GetVersionString();
    const bool new_enough = Version(version.c_str()).at_least(least_major, least_minor);
    const Entry* const table = new_enough ? base.GetApi(api_version) : nullptr;
    if (table == nullptr) {
        reason = "it is ONNX Runtime " + version + "; expected 1.19 or later";
        return nullptr;
    }
    const std::filesystem::path file = file_of(function);
    // Never released: at the end of the process ONNX Runtime's own objects may be gone before ours.
    return new Runtime(table, base, file.empty() ? path : text_of(file));
}

const Runtime* Runtime::opened(const std::string& path) {
    std::string reason;
    const std::string given = path.empty() ? text_of(environment_path("STEMZOO_ORT")) : path;
    if (!given.empty()) {
        if (const Runtime* const runtime = open_file(given, reason)) return runtime;
        const std::string who = path.empty() ? ", which STEMZOO_ORT names," : "";
        throw Unavailable(given + who + " cannot be used as ONNX Runtime: " + reason + advice);
    }
    std::string tried;
    for (const std::filesystem::path& place : usual_places()) {
        if (const Runtime* const runtime = open_file(text_of(place), reason)) return runtime;
        tried += (tried.empty() ? "" : "; ") + text_of(place) + ": " + reason;
    }
    throw Unavailable("ONNX Runtime was not found (" + tried + ")" + advice);
}

const Runtime& Runtime::load(const std::string& path) {
    static std::mutex mutex;
    static const Runtime* loaded = nullptr;
    static std::string asked;
    const std::lock_guard<std::mutex> lock(mutex);
    if (loaded == nullptr) {
        loaded = opened(path);
        asked = path;
    }
    if (!path.empty() && path != asked && !same_file(path, loaded->path)) {
        throw Unavailable("ONNX Runtime is loaded from " + loaded->path + ", so " + path +
                          " cannot be loaded too; name it before the first model is opened");
    }
    return *loaded;
}

}  // namespace stemzoo::onnxruntime
