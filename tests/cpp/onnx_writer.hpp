// Writes ONNX models byte by byte, good ones and others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace onnx_writer {

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

inline std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value > 0x7F; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
    return bytes + static_cast<char>(value);
}

inline std::string number(unsigned field, std::int64_t value) {
    return varint(field << 3) + varint(static_cast<std::uint64_t>(value));
}

inline std::string bytes(unsigned field, const std::string& payload) {
    return varint(field << 3 | 2) + varint(payload.size()) + payload;
}

inline std::string numbers(unsigned field, const Numbers& values) {
    std::string packed;
    for (const std::int64_t value : values) packed += varint(static_cast<std::uint64_t>(value));
    return bytes(field, packed);
}

inline std::string constant(const std::string& name, const Numbers& dims, int kind,
                            const std::string& data) {
    std::string tensor = number(2, kind) + bytes(8, name) + data;
    for (const std::int64_t side : dims) tensor += number(1, side);
    return bytes(5, tensor);
}

// A list of whole numbers.
inline std::string sizes(const std::string& name, const Numbers& values) {
    return constant(name, {static_cast<std::int64_t>(values.size())}, 7, numbers(7, values));
}

inline std::string attribute(const std::string& name, const Numbers& values) {
    return bytes(5, bytes(1, name) + numbers(8, values) + number(20, 7));
}

inline std::string attribute(const std::string& name, std::int64_t value) {
    return bytes(5, bytes(1, name) + number(3, value) + number(20, 2));
}

inline std::string node(const std::string& op, const Names& inputs, const Names& outputs,
                        const std::string& more = "") {
    std::string fields = bytes(4, op) + more;
    for (const std::string& name : inputs) fields += bytes(1, name);
    for (const std::string& name : outputs) fields += bytes(2, name);
    return bytes(1, fields);
}

// A float32 tensor [N, channels, height, width], of free height and width.
inline std::string value(unsigned field, const std::string& name, std::int64_t channels) {
    const std::string free = bytes(1, bytes(2, "free")), fixed = bytes(1, number(1, channels));
    const std::string shape = bytes(2, free + fixed + free + free);
    return bytes(field, bytes(1, name) + bytes(2, bytes(1, number(1, 1) + shape)));
}

using Properties = std::map<std::string, std::string>;

inline Properties promises(const Properties& more = {}) {
    Properties all = {
        {"name", "test"}, {"version", "0.0.1"}, {"task", "denoise"}, {"multiple", "1"},
        {"halo", "0"},    {"licence", "MIT"},   {"training", "{}"},  {"normalisation", "mean-std"}};
    for (const auto& [key, given] : more) all[key] = given;
    return all;
}

inline std::string metadata(const Properties& contract) {
    std::string fields;
    for (const auto& [key, given] : contract) {
        fields += bytes(14, bytes(1, "stemzoo." + key) + bytes(2, given));
    }
    return fields;
}

// A network for images, made of these nodes and constants.
inline std::string model(const std::string& graph, const Properties& contract = promises()) {
    const std::string face = value(11, "image", 1) + value(12, "output", 1);
    return number(1, 8) + bytes(8, number(2, 17)) + bytes(7, graph + face) + metadata(contract);
}

}  // namespace onnx_writer
