// The gate before ONNX Runtime: what a model file must be before a byte of it is handed over.
//
// A file from elsewhere can name other files, run graphs inside graphs, ask for terabytes, or be
// cut short so that a parser crashes. Here it is read by hand, its graph must be plain, its
// operators known, its sizes bounded, and its inputs and outputs those that its contract promises.
#pragma once

#include <string>

#include "model_file/contract.hpp"

namespace stemzoo::model_file {

struct Examined {
    Properties properties;
    Contract contract;
};

// Throws ModelError for a file that may not run.
Examined examine(Bytes model, const std::string& where);

}  // namespace stemzoo::model_file
