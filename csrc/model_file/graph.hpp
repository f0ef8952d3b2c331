// The graph of an examined model: constants whose bytes fit their shapes, nodes in order. Every
// name is made once and before it is used; there are no cycles, no loose ends, no domains.
//
// It keeps no view of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model_file/array.hpp"
#include "model_file/onnx_messages.hpp"

namespace stemzoo::model_file {

inline constexpr std::size_t kMaxNodes = 4096, kMaxConstants = 4096;
inline constexpr std::size_t kMaxList = 1024;  // numbers in an attribute, inputs of a node
inline constexpr std::size_t kMaxName = 1024;  // characters

// The place of a name in Graph::names. The empty name, of what is left out, is the first.
using Name = std::size_t;
inline constexpr Name kBlank = 0;

using Attribute =
    std::variant<double, std::int64_t, std::string, Array, std::vector<float>, Integers>;

struct Node {
    std::string label, op;
    std::vector<Name> inputs, outputs;
    std::map<std::string, Attribute> attributes;
};

// What a file says of a tensor: its type, and its sides where they are fixed.
struct Declared {
    Name name;
    Kind kind;
    std::optional<std::vector<std::optional<std::int64_t>>> sides;  // none: it does not say
};

// The sides as "(free, 1, free, free)".
std::string shown(const Declared& declared);

struct Graph {
    std::int64_t opset = 0;
    std::vector<std::string> names;
    std::vector<Node> nodes;
    std::map<Name, Array> constants;
    std::vector<Declared> inputs, outputs, values;
};

Graph graph_of(const onnx::Graph& given, std::int64_t opset);

}  // namespace stemzoo::model_file
