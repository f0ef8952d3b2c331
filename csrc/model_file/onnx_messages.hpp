// The messages of onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html) that a plain network is made
// of, by the numbers of their fields. Texts and tensors are views of the file.
//
// No message leads back to itself, so nothing nests deeper than this file does: graphs inside
// graphs are refused where they begin.
#pragma once

#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model_file/protobuf.hpp"

namespace stemzoo::model_file::onnx {

using protobuf::Field;
using protobuf::Integer;
using protobuf::Raw;
using protobuf::Refused;
using protobuf::Text;

struct Property {
    std::optional<Text> key, value;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "key", &Property::key},
            Field{2, "value", &Property::value},
        };
    }
};

struct OpSet {
    std::optional<Text> domain;
    std::optional<Integer> version;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "domain", &OpSet::domain},
            Field{2, "version", &OpSet::version},
        };
    }
};

struct Dim {
    std::optional<Integer> value;
    std::optional<Text> name, denotation;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "value", &Dim::value},
            Field{2, "name", &Dim::name},
            Field{3, "denotation", &Dim::denotation},
        };
    }
};

struct Shape {
    std::vector<Dim> dims;

    static constexpr auto fields() { return std::tuple{Field{1, "dims", &Shape::dims}}; }
};

struct TensorType {
    std::optional<Integer> kind;  // of TensorProto.DataType
    std::optional<Shape> shape;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "kind", &TensorType::kind},
            Field{2, "shape", &TensorType::shape},
        };
    }
};

struct Type {
    std::optional<TensorType> tensor;
    std::optional<Text> denotation;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "tensor", &Type::tensor},
            Refused{4, "a sequence"},
            Refused{5, "a map"},
            Field{6, "denotation", &Type::denotation},
            Refused{7, "an opaque type"},
            Refused{8, "a sparse tensor"},
            Refused{9, "an optional value"},
        };
    }
};

struct Value {
    std::optional<Text> name, doc;
    std::optional<Type> type;
    std::vector<Property> properties;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "name", &Value::name},
            Field{2, "type", &Value::type},
            Field{3, "doc", &Value::doc},
            Field{4, "properties", &Value::properties},
        };
    }
};

struct Tensor {
    std::optional<Text> name, doc;
    std::optional<Integer> kind;  // of TensorProto.DataType
    std::vector<Integer> dims, int32s, int64s;
    std::optional<Raw> raw, floats, doubles;
    std::vector<Property> properties;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "dims", &Tensor::dims},
            Field{2, "kind", &Tensor::kind},
            Refused{3, "a tensor in segments"},
            Field{4, "floats", &Tensor::floats},
            Field{5, "int32s", &Tensor::int32s},
            Refused{6, "a tensor of texts"},
            Field{7, "int64s", &Tensor::int64s},
            Field{8, "name", &Tensor::name},
            Field{9, "raw", &Tensor::raw},
            Field{10, "doubles", &Tensor::doubles},
            Refused{11, "a tensor of uint64"},
            Field{12, "doc", &Tensor::doc},
            Refused{13, "external data"},
            Refused{14, "external data"},  // data_location, which only external data needs
            Field{16, "properties", &Tensor::properties},
        };
    }
};

struct Attribute {
    std::optional<Text> name, doc, text;
    std::optional<float> real;
    std::optional<Integer> integer, type;  // AttributeProto.AttributeType
    std::unique_ptr<Tensor> tensor;
    std::vector<float> reals;
    std::vector<Integer> integers;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "name", &Attribute::name},
            Field{2, "float", &Attribute::real},
            Field{3, "int", &Attribute::integer},
            Field{4, "text", &Attribute::text},
            Field{5, "tensor", &Attribute::tensor},
            Refused{6, "a graph inside a node"},
            Field{7, "floats", &Attribute::reals},
            Field{8, "ints", &Attribute::integers},
            Refused{9, "a list of texts"},
            Refused{10, "a list of tensors"},
            Refused{11, "graphs inside a node"},
            Field{13, "doc", &Attribute::doc},
            Refused{14, "a type inside a node"},
            Refused{15, "types inside a node"},
            Field{20, "type", &Attribute::type},
            Refused{21, "a reference to an attribute of a function"},
            Refused{22, "a sparse tensor"},
            Refused{23, "sparse tensors"},
        };
    }
};

struct Node {
    std::optional<Text> name, op, domain, overload, doc;
    std::vector<Text> inputs, outputs;
    std::vector<Attribute> attributes;
    std::vector<Property> properties;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "inputs", &Node::inputs},
            Field{2, "outputs", &Node::outputs},
            Field{3, "name", &Node::name},
            Field{4, "op", &Node::op},
            Field{5, "attributes", &Node::attributes},
            Field{6, "doc", &Node::doc},
            Field{7, "domain", &Node::domain},
            Field{8, "overload", &Node::overload},
            Field{9, "properties", &Node::properties},
        };
    }
};

struct Graph {
    std::optional<Text> name, doc;
    std::vector<Node> nodes;
    std::vector<Tensor> constants;
    std::vector<Value> inputs, outputs, values;
    std::vector<Property> properties;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "nodes", &Graph::nodes},         Field{2, "name", &Graph::name},
            Field{5, "constants", &Graph::constants}, Field{10, "doc", &Graph::doc},
            Field{11, "inputs", &Graph::inputs},      Field{12, "outputs", &Graph::outputs},
            Field{13, "values", &Graph::values},      Refused{14, "a quantization annotation"},
            Refused{15, "a sparse tensor"},           Field{16, "properties", &Graph::properties},
        };
    }
};

struct Model {
    std::optional<Integer> ir_version, model_version;
    std::optional<Text> producer_name, producer_version, domain, doc;
    std::optional<Graph> graph;
    std::vector<OpSet> opsets;
    std::vector<Property> properties;

    static constexpr unsigned metadata_props = 14;

    static constexpr auto fields() {
        return std::tuple{
            Field{1, "ir_version", &Model::ir_version},
            Field{2, "producer_name", &Model::producer_name},
            Field{3, "producer_version", &Model::producer_version},
            Field{4, "domain", &Model::domain},
            Field{5, "model_version", &Model::model_version},
            Field{6, "doc", &Model::doc},
            Field{7, "graph", &Model::graph},
            Field{8, "opsets", &Model::opsets},
            Field{metadata_props, "properties", &Model::properties},
            Refused{20, "training information"},
            Refused{25, "a function"},
            Refused{26, "a configuration of devices"},
        };
    }
};

}  // namespace stemzoo::model_file::onnx
