#include "capi/model_content.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "capi/status.hpp"
#include "model_file/contract.hpp"

namespace stemzoo::capi {

std::string read_model(const std::string& path) {
    const std::filesystem::path place = std::filesystem::u8path(path);
    std::error_code error;
    if (std::filesystem::exists(place, error) && !is_regular_file(place, error)) {
        throw CannotRead(path + " is no regular file; give the path of an .onnx file");
    }
    errno = 0;
    std::ifstream file(place, std::ios::binary);
    if (!file) {
        const int code = errno;
        throw CannotRead("cannot read the model " + path + ": " +
                         (code != 0 ? std::strerror(code) : "it cannot be opened"));
    }
    const std::uintmax_t size = std::filesystem::file_size(place, error);
    if (!error && size > model_file::kMaxModel) {
        throw model_file::ModelError(path + ": it has " + std::to_string(size) +
                                     " bytes; expected at most " +
                                     std::to_string(model_file::kMaxModel));
    }
    std::string content(error ? 0 : static_cast<std::size_t>(size), '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (error || static_cast<std::size_t>(file.gcount()) != content.size()) {
        throw CannotRead("cannot read the model " + path + " to its end");
    }
    return content;
}

}  // namespace stemzoo::capi
