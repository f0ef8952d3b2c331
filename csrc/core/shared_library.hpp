// Shared libraries opened at run time, on POSIX systems and on Windows.
#pragma once

#include <filesystem>
#include <string>

namespace stemzoo {

// A path is UTF-8 wherever it comes from or goes to C.
std::filesystem::path path_of(const std::string& utf8);
std::string text_of(const std::filesystem::path& path);

struct Opened {
    void* library = nullptr;  // null if it cannot be opened; `error` then says why
    std::string error;
};

// Never closed again: threads of the library may still run.
Opened open_library(const std::filesystem::path& path);

using Function = void (*)();
// Null if the library has no such function.
Function function_of(void* library, const char* name);

// The file of the library or program that the function belongs to; empty if that is not known.
std::filesystem::path file_of(Function function);

// Empty if it is not set.
std::filesystem::path environment_path(const char* name);

}  // namespace stemzoo
