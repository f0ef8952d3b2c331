// NumPy arrays as views, without copying. What cannot be viewed is refused, never converted.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo {

template <typename T>
View<T> view_memory(const pybind11::array& a, void* data) {
    const auto item = static_cast<pybind11::ssize_t>(sizeof(T));
    return {static_cast<T*>(data),
            {static_cast<std::size_t>(a.shape(0)), static_cast<std::size_t>(a.shape(1))},
            static_cast<std::ptrdiff_t>(a.strides(0) / item),
            static_cast<std::ptrdiff_t>(a.strides(1) / item)};
}

inline std::string dtype_text(const pybind11::array& a) {
    return pybind11::str(a.dtype()).cast<std::string>();
}

inline void require_two_dimensions(const pybind11::array& a) {
    if (a.ndim() == 2) return;
    throw std::invalid_argument("expected a 2-D array, got " + std::to_string(a.ndim()) +
                                " dimension(s); pass one image at a time");
}

inline Shape shape_2d(const pybind11::array& a) {
    require_two_dimensions(a);
    return {static_cast<std::size_t>(a.shape(0)), static_cast<std::size_t>(a.shape(1))};
}

// Contiguous float32 pixels, converted where that loses nothing.
using FloatImage = pybind11::array_t<float, pybind11::array::c_style>;

// A view steps in whole, aligned items. Fields of packed records do not, nor do swapped bytes.
inline void require_plain_memory(const pybind11::array& a) {
    if (!a.dtype().attr("isnative").cast<bool>()) {
        throw std::invalid_argument("array of dtype " + dtype_text(a) +
                                    " is not in this machine's byte order; convert it with "
                                    "array.astype(array.dtype.newbyteorder('='))");
    }
    bool whole_steps = true;
    for (pybind11::ssize_t axis = 0; axis < a.ndim(); ++axis) {
        whole_steps = whole_steps && a.strides(axis) % a.itemsize() == 0;
    }
    const bool aligned = (a.flags() & pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
    if (whole_steps && aligned) return;
    throw std::invalid_argument("array of dtype " + dtype_text(a) +
                                " is unaligned or its strides are no multiple of the item size; "
                                "pass array.copy()");
}

// The memory is only read; the caller keeps `a` alive for as long as the view is used.
inline AnyView any_view(const pybind11::array& a) {
    require_two_dimensions(a);
    require_plain_memory(a);
    // AnyView's members are const, so nothing writes through this pointer.
    void* data = const_cast<void*>(a.data());
    const char kind = a.dtype().kind();
    const auto bytes = a.itemsize();
    if (kind == 'b' && bytes == 1) return view_memory<const std::uint8_t>(a, data);
    if (kind == 'u' && bytes == 1) return view_memory<const std::uint8_t>(a, data);
    if (kind == 'u' && bytes == 2) return view_memory<const std::uint16_t>(a, data);
    if (kind == 'u' && bytes == 4) return view_memory<const std::uint32_t>(a, data);
    if (kind == 'u' && bytes == 8) return view_memory<const std::uint64_t>(a, data);
    if (kind == 'i' && bytes == 1) return view_memory<const std::int8_t>(a, data);
    if (kind == 'i' && bytes == 2) return view_memory<const std::int16_t>(a, data);
    if (kind == 'i' && bytes == 4) return view_memory<const std::int32_t>(a, data);
    if (kind == 'i' && bytes == 8) return view_memory<const std::int64_t>(a, data);
    if (kind == 'f' && bytes == 4) return view_memory<const float>(a, data);
    if (kind == 'f' && bytes == 8) return view_memory<const double>(a, data);
    throw std::invalid_argument("dtype " + dtype_text(a) +
                                " is not supported; expected an 8- to 64-bit integer, float32 or "
                                "float64; convert with array.astype('float32')");
}

using Mask = View<const std::uint8_t>;

inline Mask view_mask(const pybind11::array& mask) {
    const AnyView view = any_view(mask);
    if (const auto* bytes = std::get_if<Mask>(&view)) return *bytes;
    throw std::invalid_argument("mask has dtype " + dtype_text(mask) +
                                "; expected bool or uint8, true where a pixel is valid");
}

// A writable view of an array that already has the wanted dtype; shares its memory.
template <typename T>
View<T> view2d(pybind11::array_t<T>& a) {
    require_two_dimensions(a);
    require_plain_memory(a);
    return view_memory<T>(a, a.mutable_data());
}

// A read-only view of the same.
template <typename T>
View<const T> view2d(const pybind11::array_t<T>& a) {
    require_two_dimensions(a);
    require_plain_memory(a);
    return view_memory<const T>(a, const_cast<void*>(a.pybind11::array::data()));
}

// The 2-D arrays of a stack, or the one image; sharing its memory. They are kept while their views
// are used.
inline std::vector<pybind11::array> frames_of(const pybind11::array& images) {
    if (images.ndim() == 2) return {images};
    std::vector<pybind11::array> frames;
    for (pybind11::ssize_t i = 0; i < images.shape(0); ++i) {
        frames.push_back(images[pybind11::int_(i)].cast<pybind11::array>());
    }
    return frames;
}

// A new C-contiguous float32 array, its contents still undefined.
inline pybind11::array_t<float> new_float32(std::initializer_list<std::size_t> shape) {
    return pybind11::array_t<float>(std::vector<pybind11::ssize_t>(shape.begin(), shape.end()));
}

// Of memory that is kept when the array goes: for what lives as long as a frame, and comes again
// with the next one.
inline pybind11::array_t<float> kept_float32(std::initializer_list<std::size_t> shape) {
    std::size_t count = 1;
    for (const std::size_t side : shape) count *= side;
    auto memory = std::make_unique<Scratch<float>>(count);
    const pybind11::capsule owner(memory.get(),
                                  [](void* held) { delete static_cast<Scratch<float>*>(held); });
    const float* const data = memory.release()->data();
    return pybind11::array_t<float>(std::vector<pybind11::ssize_t>(shape.begin(), shape.end()),
                                    data, owner);
}

}  // namespace stemzoo
