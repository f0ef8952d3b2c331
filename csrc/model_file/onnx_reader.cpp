#include "model_file/onnx_reader.hpp"

#include <string_view>

#include "model_file/words.hpp"

namespace stemzoo::model_file::onnx {
namespace {

using protobuf::Reader;

std::string_view view(Bytes model) {
    return {reinterpret_cast<const char*>(model.data), model.size};
}

}  // namespace

Model read(Bytes model) { return Reader(kMaxFields, kMaxText).message<Model>(view(model)); }

std::vector<Property> read_properties(Bytes model) {
    Reader reader(kMaxFields, kMaxText);
    std::vector<Property> found;
    reader.each_field(view(model), [&](const Reader::Given& given) {
        if (given.number == Model::metadata_props && given.wire == Reader::Wire::bytes) {
            found.push_back(reader.message<Property>(given.payload));
        }
    });
    return found;
}

Properties mapping(const std::vector<Property>& properties) {
    Properties found;
    for (const Property& each : properties) {
        if (!found.emplace(each.key.value_or(""), each.value.value_or("")).second) {
            refuse("its metadata gives one key twice; expected every key once");
        }
    }
    return found;
}

}  // namespace stemzoo::model_file::onnx
