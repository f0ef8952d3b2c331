// The gate before ONNX Runtime: what a model file must be before a byte of it is handed over.
//
// A file from elsewhere can name other files, run graphs inside graphs, ask for terabytes, or be
// cut short so that a parser crashes. Here it is read by hand, its graph must be plain, its
// operators known, its sizes bounded, and its inputs and outputs those that its contract promises.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model_file/contract.hpp"

namespace stemzoo::model_file {

struct Graph;

// A model that is safe to run. It keeps no view of the file; threads may share it.
struct Examined {
    Properties properties;
    Contract contract;
    std::shared_ptr<const Graph> graph;
};

// Throws ModelError for a file that may not run.
Examined examine(Bytes model, const std::string& where);

// Throws ModelError if the network would hold or compute too much for an input of this shape
// [N, channels, height, width]. The gate tries a small and a large shape; what a network makes of
// another one it may not have shown.
void require_room(const Examined& model, const std::vector<std::int64_t>& shape);

}  // namespace stemzoo::model_file
