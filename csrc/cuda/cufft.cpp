#include "cuda/cufft.hpp"

#include <filesystem>
#include <system_error>
#include <vector>

#include "core/shared_library.hpp"

namespace stemzoo::cuda::cufft {
namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
constexpr const char* file_names[] = {"cufft64_12.dll", "cufft64_11.dll"};
constexpr const char* folders[] = {"nvidia/cu13/bin/x86_64", "nvidia/cufft/bin"};
#else
constexpr const char* file_names[] = {"libcufft.so.12", "libcufft.so.11"};
constexpr const char* folders[] = {"nvidia/cu13/lib", "nvidia/cufft/lib"};
#endif

void add_packages(std::vector<fs::path>& places, const fs::path& site_packages) {
    for (const char* folder : folders) {
        for (const char* name : file_names) {
            std::error_code error;
            const fs::path file = site_packages / folder / name;
            if (fs::exists(file, error)) places.push_back(file);
        }
    }
}

std::vector<fs::path> usual_places() {
    const fs::path named = environment_path("STEMZOO_CUFFT");
    if (!named.empty()) return {named};
    std::vector<fs::path> places;
    const fs::path own = file_of(reinterpret_cast<Function>(&usual_places));
    for (fs::path folder = own.parent_path(); folder != folder.parent_path();
         folder = folder.parent_path()) {
        add_packages(places, folder);
    }
    const fs::path environment = environment_path("VIRTUAL_ENV");
    std::error_code error;
    for (fs::directory_iterator each(environment / "lib", error), end; !error && each != end;
         each.increment(error)) {
        add_packages(places, each->path() / "site-packages");
    }
    for (const char* name : file_names) places.emplace_back(name);
    return places;
}

template <typename F>
void look_up(void* opened, const char* name, F& function, std::string& error) {
    function = reinterpret_cast<F>(function_of(opened, name));
    if (function == nullptr) error = std::string("it has no ") + name;
}

Library functions_of(void* opened) {
    Library found{};
    std::string& error = found.error;
    look_up(opened, "cufftCreate", found.Create, error);
    look_up(opened, "cufftDestroy", found.Destroy, error);
    look_up(opened, "cufftSetAutoAllocation", found.SetAutoAllocation, error);
    look_up(opened, "cufftMakePlanMany64", found.MakePlanMany64, error);
    look_up(opened, "cufftSetWorkArea", found.SetWorkArea, error);
    look_up(opened, "cufftSetStream", found.SetStream, error);
    look_up(opened, "cufftExecC2C", found.ExecC2C, error);
    look_up(opened, "cufftExecR2C", found.ExecR2C, error);
    look_up(opened, "cufftExecC2R", found.ExecC2R, error);
    look_up(opened, "cufftExecZ2Z", found.ExecZ2Z, error);
    look_up(opened, "cufftExecD2Z", found.ExecD2Z, error);
    look_up(opened, "cufftExecZ2D", found.ExecZ2D, error);
    return found;
}

Library opened_library() {
    std::string tried;
    for (const fs::path& place : usual_places()) {
        const Opened opened = open_library(place);
        if (opened.library != nullptr) {
            Library found = functions_of(opened.library);
            if (found.error.empty()) return found;
            tried += text_of(place) + ": " + found.error + "; ";
        } else {
            tried += text_of(place) + ": " + opened.error + "; ";
        }
    }
    Library none{};
    none.error = "cuFFT was not found (" + tried +
                 "); pip install nvidia-cufft, or set STEMZOO_CUFFT to the library";
    return none;
}

}  // namespace

const Library& library() {
    static const Library opened = opened_library();
    return opened;
}

}  // namespace stemzoo::cuda::cufft
