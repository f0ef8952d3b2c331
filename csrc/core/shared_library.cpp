#include "core/shared_library.hpp"

#include <cstdlib>

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <array>
#else
#include <dlfcn.h>
#endif

namespace stemzoo {

std::filesystem::path path_of(const std::string& utf8) { return std::filesystem::u8path(utf8); }

std::string text_of(const std::filesystem::path& path) { return path.u8string(); }

#if defined(_WIN32)

namespace {

std::string last_error() {
    const DWORD code = GetLastError();
    std::array<wchar_t, 512> text{};
    const DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, code, 0,
                       text.data(), static_cast<DWORD>(text.size()), nullptr);
    std::wstring said(text.data(), length);
    while (!said.empty() && (said.back() == L'\n' || said.back() == L'\r' || said.back() == L'.')) {
        said.pop_back();
    }
    if (said.empty()) return "Windows error " + std::to_string(code);
    return std::filesystem::path(said).u8string();
}

}  // namespace

Opened open_library(const std::filesystem::path& path) {
    // What a library at a known place depends on is looked for beside it.
    const DWORD flags = path.is_absolute()
                            ? LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS
                            : 0;
    const HMODULE library = LoadLibraryExW(path.c_str(), nullptr, flags);
    if (library == nullptr) return {nullptr, last_error()};
    return {library, ""};
}

Function function_of(void* library, const char* name) {
    return reinterpret_cast<Function>(GetProcAddress(static_cast<HMODULE>(library), name));
}

std::filesystem::path file_of(Function function) {
    HMODULE library = nullptr;
    constexpr DWORD flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, reinterpret_cast<const wchar_t*>(function), &library)) return {};
    std::wstring name(32768, L'\0');
    const DWORD length = GetModuleFileNameW(library, name.data(), static_cast<DWORD>(name.size()));
    name.resize(length);
    return name;
}

std::filesystem::path environment_path(const char* name) {
    const wchar_t* value = _wgetenv(path_of(name).c_str());
    return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

#else

Opened open_library(const std::filesystem::path& path) {
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return {library, ""};
    const char* const error = dlerror();
    return {nullptr, error == nullptr ? "it cannot be opened" : error};
}

Function function_of(void* library, const char* name) {
    return reinterpret_cast<Function>(dlsym(library, name));
}

std::filesystem::path file_of(Function function) {
    Dl_info found{};
    if (dladdr(reinterpret_cast<void*>(function), &found) == 0) return {};
    if (found.dli_fname == nullptr) return {};
    return found.dli_fname;
}

std::filesystem::path environment_path(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

#endif

}  // namespace stemzoo
