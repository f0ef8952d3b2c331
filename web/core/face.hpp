// What the classes of the page's core share: errors, and pixels of any type.
#pragma once

#include <emscripten/bind.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>

#include "core/array.hpp"

namespace stemzoo {

// C++ exceptions leave as JavaScript's.
template <typename Work>
auto guarded(const Work& work) {
    std::string said;
    try {
        return work();
    } catch (const std::exception& error) {
        said = error.what();
    }
    emscripten::val::global("Error").new_(said).throw_();
    throw std::logic_error("unreachable");
}

template <typename T>
AnyView view_as(const void* pixels, Shape shape) {
    return contiguous(static_cast<const T*>(pixels), shape);
}

struct PixelType {
    std::size_t bytes;
    AnyView (*view)(const void* pixels, Shape shape);
};

template <typename T>
PixelType pixel_type() {
    return {sizeof(T), view_as<T>};
}

inline const PixelType& type_called(const std::string& dtype) {
    static const std::map<std::string, PixelType> types{
        {"uint8", pixel_type<std::uint8_t>()},   {"int8", pixel_type<std::int8_t>()},
        {"uint16", pixel_type<std::uint16_t>()}, {"int16", pixel_type<std::int16_t>()},
        {"uint32", pixel_type<std::uint32_t>()}, {"int32", pixel_type<std::int32_t>()},
        {"float32", pixel_type<float>()},        {"float64", pixel_type<double>()}};
    const auto found = types.find(dtype);
    if (found == types.end()) throw std::invalid_argument("pixels are " + dtype);
    return found->second;
}

}  // namespace stemzoo
