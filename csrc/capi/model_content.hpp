// The bytes of a model file.
#pragma once

#include <string>

namespace stemzoo::capi {

// `path` is UTF-8. Throws CannotRead, and model_file::ModelError for a file that is too large.
std::string read_model(const std::string& path);

}  // namespace stemzoo::capi
