#include "onnxruntime/places.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/shared_library.hpp"

namespace stemzoo::onnxruntime {
namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
constexpr const char* file_name = "onnxruntime.dll";
constexpr const char* system_names[] = {"onnxruntime.dll"};
#elif defined(__APPLE__)
constexpr const char* file_name = "libonnxruntime.";  // libonnxruntime.1.22.0.dylib
constexpr const char* system_names[] = {"libonnxruntime.dylib"};
#else
constexpr const char* file_name = "libonnxruntime.so";  // libonnxruntime.so.1.22.0
constexpr const char* system_names[] = {"libonnxruntime.so.1", "libonnxruntime.so"};
#endif

bool starts_with(const std::string& text, const std::string& part) {
    return text.compare(0, part.size(), part) == 0;
}

// Names of files or folders in a folder that begin with `part`, sorted.
std::vector<fs::path> entries(const fs::path& folder, const std::string& part) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error)) {
        if (starts_with(text_of(each->path().filename()), part)) found.push_back(each->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

void add(std::vector<fs::path>& places, const std::vector<fs::path>& more) {
    places.insert(places.end(), more.begin(), more.end());
}

std::vector<fs::path> in_packages(const fs::path& site_packages) {
    return entries(site_packages / "onnxruntime" / "capi", file_name);
}

std::vector<fs::path> in_environment(const fs::path& prefix) {
    if (prefix.empty()) return {};
#if defined(_WIN32)
    return in_packages(prefix / "Lib" / "site-packages");
#else
    std::vector<fs::path> found;
    for (const fs::path& python : entries(prefix / "lib", "python3")) {
        add(found, in_packages(python / "site-packages"));
    }
    return found;
#endif
}

std::vector<fs::path> around(const fs::path& library) {
    std::vector<fs::path> found = entries(library.parent_path(), file_name);
    for (fs::path folder = library.parent_path(); folder != folder.parent_path();
         folder = folder.parent_path()) {
        const fs::path name = folder.filename();
        if (name == "site-packages" || name == "dist-packages") add(found, in_packages(folder));
    }
    return found;
}

}  // namespace

std::vector<fs::path> usual_places() {
    std::error_code error;
    const fs::path own =
        fs::weakly_canonical(file_of(reinterpret_cast<Function>(&usual_places)), error);
    std::vector<fs::path> places = around(own);
    add(places, in_environment(environment_path("VIRTUAL_ENV")));
    add(places, in_environment(environment_path("CONDA_PREFIX")));
    for (const char* name : system_names) places.emplace_back(name);
    return places;
}

}  // namespace stemzoo::onnxruntime
