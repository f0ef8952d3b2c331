// The entries of ONNX Runtime's C API that stemzoo calls, declared by hand: a program that is to
// run with any version can neither link one nor carry its header.
//
// The API is a struct of function pointers, OrtApi, which grows at its end only. An entry is known
// by its place, counted in include/onnxruntime/core/session/onnxruntime_c_api.h of API version 29;
// the places of released entries never change, and ONNX Runtime asserts that itself.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(_WIN32)
#define STEMZOO_ORT_CALL __stdcall
#else
#define STEMZOO_ORT_CALL
#endif

namespace stemzoo::onnxruntime {

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtTensorShape;     // OrtTensorTypeAndShapeInfo
struct OrtProviderConfig;  // OrtCUDAProviderOptionsV2, OrtTensorRTProviderOptionsV2
struct OrtEpDevice;

#if defined(_WIN32)
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

using Texts = const char* const*;

constexpr int log_errors = 3;       // OrtLoggingLevel
constexpr int element_float = 1;    // ONNXTensorElementDataType
constexpr int arena_allocator = 1;  // OrtAllocatorType
constexpr int default_memory = 0;   // OrtMemType

// The lowest API version that has the entries below, and the one that has the plug-in entries.
constexpr std::uint32_t api_version = 12, plugin_api_version = 22;

// ENTRY(place, name, what it returns, its parameters)
#define STEMZOO_ORT_ENTRIES(ENTRY)                                                              \
    ENTRY(2, GetErrorMessage, const char*, (const OrtStatus*))                                  \
    ENTRY(3, CreateEnv, OrtStatus*, (int level, const char* name, OrtEnv**))                    \
    ENTRY(8, CreateSessionFromArray, OrtStatus*,                                                \
          (const OrtEnv*, const void* model, std::size_t size, const OrtSessionOptions*,        \
           OrtSession**))                                                                       \
    ENTRY(9, Run, OrtStatus*,                                                                   \
          (OrtSession*, const OrtRunOptions*, Texts input_names, const OrtValue* const* inputs, \
           std::size_t input_count, Texts output_names, std::size_t output_count,               \
           OrtValue** outputs))                                                                 \
    ENTRY(10, CreateSessionOptions, OrtStatus*, (OrtSessionOptions**))                          \
    ENTRY(22, SetSessionLogSeverityLevel, OrtStatus*, (OrtSessionOptions*, int level))          \
    ENTRY(24, SetIntraOpNumThreads, OrtStatus*, (OrtSessionOptions*, int threads))              \
    ENTRY(49, CreateTensorWithDataAsOrtValue, OrtStatus*,                                       \
          (const OrtMemoryInfo*, void* data, std::size_t bytes, const std::int64_t* shape,      \
           std::size_t rank, int element, OrtValue**))                                          \
    ENTRY(51, GetTensorMutableData, OrtStatus*, (OrtValue*, void**))                            \
    ENTRY(60, GetTensorElementType, OrtStatus*, (const OrtTensorShape*, int* element))          \
    ENTRY(61, GetDimensionsCount, OrtStatus*, (const OrtTensorShape*, std::size_t*))            \
    ENTRY(62, GetDimensions, OrtStatus*, (const OrtTensorShape*, std::int64_t*, std::size_t))   \
    ENTRY(65, GetTensorTypeAndShape, OrtStatus*, (const OrtValue*, OrtTensorShape**))           \
    ENTRY(69, CreateCpuMemoryInfo, OrtStatus*, (int allocator, int memory, OrtMemoryInfo**))    \
    ENTRY(93, ReleaseStatus, void, (OrtStatus*))                                                \
    ENTRY(94, ReleaseMemoryInfo, void, (OrtMemoryInfo*))                                        \
    ENTRY(95, ReleaseSession, void, (OrtSession*))                                              \
    ENTRY(96, ReleaseValue, void, (OrtValue*))                                                  \
    ENTRY(99, ReleaseTensorTypeAndShapeInfo, void, (OrtTensorShape*))                           \
    ENTRY(100, ReleaseSessionOptions, void, (OrtSessionOptions*))                               \
    ENTRY(125, GetAvailableProviders, OrtStatus*, (char*** names, int* count))                  \
    ENTRY(126, ReleaseAvailableProviders, OrtStatus*, (char** names, int count))                \
    ENTRY(130, AddSessionConfigEntry, OrtStatus*,                                               \
          (OrtSessionOptions*, const char* key, const char* value))                             \
    ENTRY(170, AppendTensorRT, OrtStatus*, (OrtSessionOptions*, const OrtProviderConfig*))      \
    ENTRY(171, CreateTensorRTOptions, OrtStatus*, (OrtProviderConfig**))                        \
    ENTRY(172, UpdateTensorRTOptions, OrtStatus*,                                               \
          (OrtProviderConfig*, Texts keys, Texts values, std::size_t count))                    \
    ENTRY(174, ReleaseTensorRTOptions, void, (OrtProviderConfig*))                              \
    ENTRY(204, AppendCUDA, OrtStatus*, (OrtSessionOptions*, const OrtProviderConfig*))          \
    ENTRY(205, CreateCUDAOptions, OrtStatus*, (OrtProviderConfig**))                            \
    ENTRY(206, UpdateCUDAOptions, OrtStatus*,                                                   \
          (OrtProviderConfig*, Texts keys, Texts values, std::size_t count))                    \
    ENTRY(208, ReleaseCUDAOptions, void, (OrtProviderConfig*))                                  \
    ENTRY(216, AppendExecutionProvider, OrtStatus*,                                             \
          (OrtSessionOptions*, const char* name, Texts keys, Texts values, std::size_t count))

// Since API version 22: providers that come as libraries of their own.
#define STEMZOO_ORT_PLUGIN_ENTRIES(ENTRY)                                          \
    ENTRY(301, RegisterExecutionProviderLibrary, OrtStatus*,                       \
          (OrtEnv*, const char* name, const PathChar* path))                       \
    ENTRY(303, GetEpDevices, OrtStatus*,                                           \
          (const OrtEnv*, const OrtEpDevice* const** devices, std::size_t* count)) \
    ENTRY(304, AppendExecutionProvider_V2, OrtStatus*,                             \
          (OrtSessionOptions*, OrtEnv*, const OrtEpDevice* const* devices,         \
           std::size_t device_count, Texts keys, Texts values, std::size_t count)) \
    ENTRY(312, EpDevice_EpName, const char*, (const OrtEpDevice*))

using Entry = void(STEMZOO_ORT_CALL*)();

#define STEMZOO_ORT_DECLARE(place, name, result, parameters) \
    result(STEMZOO_ORT_CALL* name) parameters;
#define STEMZOO_ORT_TAKE(place, name, result, parameters) \
    name = reinterpret_cast<decltype(name)>(table[place]);

struct Api {
    explicit Api(const Entry* table){
        STEMZOO_ORT_ENTRIES(STEMZOO_ORT_TAKE)} STEMZOO_ORT_ENTRIES(STEMZOO_ORT_DECLARE)
};

struct PluginApi {
    explicit PluginApi(const Entry* table){STEMZOO_ORT_PLUGIN_ENTRIES(
        STEMZOO_ORT_TAKE)} STEMZOO_ORT_PLUGIN_ENTRIES(STEMZOO_ORT_DECLARE)
};

// What the library's one exported function, OrtGetApiBase, returns.
struct ApiBase {
    const Entry*(STEMZOO_ORT_CALL* GetApi)(std::uint32_t version);
    const char*(STEMZOO_ORT_CALL* GetVersionString)();
};
using GetApiBase = const ApiBase*(STEMZOO_ORT_CALL*)();

}  // namespace stemzoo::onnxruntime
