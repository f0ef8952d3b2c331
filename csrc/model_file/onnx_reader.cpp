#include "model_file/onnx_reader.hpp"

#include <string>
#include <string_view>

#include "model_file/protobuf.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file::onnx {
namespace {

constexpr std::uint32_t metadata_props = 14;

// The numbers and names of the fields are those of onnx.proto.
class Reader : public protobuf::Reader<Reader> {
  public:
    using protobuf::Reader<Reader>::Reader;

    void take(const Field& field, Property& into) {
        switch (field.number) {
            case 1:
                return once(field, "key", into.key);
            case 2:
                return once(field, "value", into.value);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, OpSet& into) {
        switch (field.number) {
            case 1:
                return once(field, "domain", into.domain);
            case 2:
                return once(field, "version", into.version);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Dim& into) {
        switch (field.number) {
            case 1:
                return once(field, "value", into.value);
            case 2:
                return once(field, "name", into.name);
            case 3:
                return once(field, "denotation", into.denotation);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Shape& into) {
        switch (field.number) {
            case 1:
                return many(field, "dims", into.dims);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, TensorType& into) {
        switch (field.number) {
            case 1:
                return once(field, "kind", into.kind);
            case 2:
                return once(field, "shape", into.shape);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Type& into) {
        switch (field.number) {
            case 1:
                return once(field, "tensor", into.tensor);
            case 4:
                refused("a sequence");
            case 5:
                refused("a map");
            case 6:
                return once(field, "denotation", into.denotation);
            case 7:
                refused("an opaque type");
            case 8:
                refused("a sparse tensor");
            case 9:
                refused("an optional value");
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Value& into) {
        switch (field.number) {
            case 1:
                return once(field, "name", into.name);
            case 2:
                return once(field, "type", into.type);
            case 3:
                return once(field, "doc", into.doc);
            case 4:
                return many(field, "properties", into.properties);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Tensor& into) {
        switch (field.number) {
            case 1:
                return numbers(field, "dims", into.dims);
            case 2:
                return once(field, "kind", into.kind);
            case 3:
                refused("a tensor in segments");
            case 4:
                return raw(field, "floats", into.floats);
            case 5:
                return numbers(field, "int32s", into.int32s);
            case 6:
                refused("a tensor of texts");
            case 7:
                return numbers(field, "int64s", into.int64s);
            case 8:
                return once(field, "name", into.name);
            case 9:
                return raw(field, "raw", into.raw);
            case 10:
                return raw(field, "doubles", into.doubles);
            case 11:
                refused("a tensor of uint64");
            case 12:
                return once(field, "doc", into.doc);
            case 13:
                refused("external data");
            case 14:
                refused("external data");  // data_location, which only external data needs
            case 16:
                return many(field, "properties", into.properties);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Attribute& into) {
        switch (field.number) {
            case 1:
                return once(field, "name", into.name);
            case 2:
                return once(field, "float", into.number);
            case 3:
                return once(field, "int", into.integer);
            case 4:
                return once(field, "text", into.text);
            case 5:
                return once(field, "tensor", into.tensor);
            case 6:
                refused("a graph inside a node");
            case 7:
                return numbers(field, "floats", into.numbers);
            case 8:
                return numbers(field, "ints", into.integers);
            case 9:
                refused("a list of texts");
            case 10:
                refused("a list of tensors");
            case 11:
                refused("graphs inside a node");
            case 13:
                return once(field, "doc", into.doc);
            case 14:
                refused("a type inside a node");
            case 15:
                refused("types inside a node");
            case 20:
                return once(field, "type", into.type);
            case 21:
                refused("a reference to an attribute of a function");
            case 22:
                refused("a sparse tensor");
            case 23:
                refused("sparse tensors");
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Node& into) {
        switch (field.number) {
            case 1:
                return many(field, "inputs", into.inputs);
            case 2:
                return many(field, "outputs", into.outputs);
            case 3:
                return once(field, "name", into.name);
            case 4:
                return once(field, "op", into.op);
            case 5:
                return many(field, "attributes", into.attributes);
            case 6:
                return once(field, "doc", into.doc);
            case 7:
                return once(field, "domain", into.domain);
            case 8:
                return once(field, "overload", into.overload);
            case 9:
                return many(field, "properties", into.properties);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Graph& into) {
        switch (field.number) {
            case 1:
                return many(field, "nodes", into.nodes);
            case 2:
                return once(field, "name", into.name);
            case 5:
                return many(field, "constants", into.constants);
            case 10:
                return once(field, "doc", into.doc);
            case 11:
                return many(field, "inputs", into.inputs);
            case 12:
                return many(field, "outputs", into.outputs);
            case 13:
                return many(field, "values", into.values);
            case 14:
                refused("a quantization annotation");
            case 15:
                refused("a sparse tensor");
            case 16:
                return many(field, "properties", into.properties);
            default:
                unknown(field);
        }
    }

    void take(const Field& field, Model& into) {
        switch (field.number) {
            case 1:
                return once(field, "ir_version", into.ir_version);
            case 2:
                return once(field, "producer_name", into.producer_name);
            case 3:
                return once(field, "producer_version", into.producer_version);
            case 4:
                return once(field, "domain", into.domain);
            case 5:
                return once(field, "model_version", into.model_version);
            case 6:
                return once(field, "doc", into.doc);
            case 7:
                return once(field, "graph", into.graph);
            case 8:
                return many(field, "opsets", into.opsets);
            case metadata_props:
                return many(field, "properties", into.properties);
            case 20:
                refused("training information");
            case 25:
                refused("a function");
            case 26:
                refused("a configuration of devices");
            default:
                unknown(field);
        }
    }

  private:
    [[noreturn]] static void refused(std::string_view what) {
        refuse("it holds ", what, "; expected a plain network in one file");
    }

    [[noreturn]] static void unknown(const Field& field) {
        refuse("not an ONNX file, or a damaged one: it has a field ", field.number);
    }
};

std::string_view view(Bytes model) {
    return {reinterpret_cast<const char*>(model.data), model.size};
}

}  // namespace

Model read(Bytes model) { return Reader(kMaxFields, kMaxText).message<Model>(view(model)); }

std::vector<Property> read_properties(Bytes model) {
    Reader reader(kMaxFields, kMaxText);
    std::vector<Property> found;
    reader.each_field(view(model), [&](const Reader::Field& field) {
        if (field.number == metadata_props && field.wire == protobuf::Wire::bytes) {
            found.push_back(reader.message<Property>(field.payload));
        }
    });
    return found;
}

Properties mapping(const std::vector<Property>& properties) {
    Properties found;
    for (const Property& each : properties) {
        const bool is_new = found.emplace(each.key.value_or(""), each.value.value_or("")).second;
        if (!is_new) refuse("its metadata gives one key twice; expected every key once");
    }
    return found;
}

}  // namespace stemzoo::model_file::onnx
