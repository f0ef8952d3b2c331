// Reads a serialised ONNX model by hand, within bounds, and without touching its weights.
//
// Anything on which two protobuf readers could differ, such as a single field given twice, is
// refused, so that what was examined is what will run.
#pragma once

#include <cstddef>
#include <vector>

#include "model_file/contract.hpp"
#include "model_file/onnx_messages.hpp"

namespace stemzoo::model_file::onnx {

// Fields and numbers in one file; a large network has some ten thousand.
inline constexpr std::size_t kMaxFields = 200000;
inline constexpr std::size_t kMaxText = std::size_t{1} << 16;  // bytes

// Every field of a model; its views last as long as the bytes.
Model read(Bytes model);

// Only the metadata_props; every other field is stepped over.
std::vector<Property> read_properties(Bytes model);

// A list of keys and values as a mapping.
Properties mapping(const std::vector<Property>& properties);

}  // namespace stemzoo::model_file::onnx
