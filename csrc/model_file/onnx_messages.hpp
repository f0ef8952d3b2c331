// The messages of onnx.proto as far as a plain network needs them. Texts and tensors are views of
// the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace stemzoo::model_file::onnx {

struct Property {
    std::optional<std::string_view> key, value;
};

struct OpSet {
    std::optional<std::string_view> domain;
    std::optional<std::int64_t> version;
};

struct Dim {
    std::optional<std::int64_t> value;
    std::optional<std::string_view> name, denotation;
};

struct Shape {
    std::vector<Dim> dims;
};

struct TensorType {
    std::optional<std::int64_t> kind;  // TensorProto.DataType
    std::optional<Shape> shape;
};

struct Type {
    std::optional<TensorType> tensor;
    std::optional<std::string_view> denotation;
};

struct Value {
    std::optional<std::string_view> name;
    std::optional<Type> type;
    std::optional<std::string_view> doc;
    std::vector<Property> properties;
};

struct Tensor {
    std::vector<std::int64_t> dims;
    std::optional<std::int64_t> kind;
    std::optional<std::string_view> raw, floats, doubles;  // little-endian
    std::vector<std::int64_t> int32s, int64s;
    std::optional<std::string_view> name, doc;
    std::vector<Property> properties;
};

struct Attribute {
    std::optional<std::string_view> name;
    std::optional<double> number;
    std::optional<std::int64_t> integer;
    std::optional<std::string_view> text;
    std::unique_ptr<Tensor> tensor;
    std::vector<double> numbers;
    std::vector<std::int64_t> integers;
    std::optional<std::string_view> doc;
    std::optional<std::int64_t> type;  // AttributeProto.AttributeType
};

struct Node {
    std::vector<std::string_view> inputs, outputs;
    std::optional<std::string_view> name, op;
    std::vector<Attribute> attributes;
    std::optional<std::string_view> doc, domain, overload;
    std::vector<Property> properties;
};

struct Graph {
    std::vector<Node> nodes;
    std::optional<std::string_view> name;
    std::vector<Tensor> constants;
    std::optional<std::string_view> doc;
    std::vector<Value> inputs, outputs, values;
    std::vector<Property> properties;
};

struct Model {
    std::optional<std::int64_t> ir_version;
    std::optional<std::string_view> producer_name, producer_version, domain;
    std::optional<std::int64_t> model_version;
    std::optional<std::string_view> doc;
    std::optional<Graph> graph;
    std::vector<OpSet> opsets;
    std::vector<Property> properties;
};

}  // namespace stemzoo::model_file::onnx
