// What the bindings of the drift engine share.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <vector>

#include "bindings/arrays.hpp"
#include "drift/answer.hpp"

namespace stemzoo {

// An image and which of its pixels are masked out, as views of the caller's arrays.
struct MaskedImage {
    MaskedImage(const pybind11::array& image, const std::optional<pybind11::array>& masked)
        : pixels(any_view(image)) {
        if (masked) view = view_mask(*masked);
    }

    const Mask* mask() const { return view ? &*view : nullptr; }

    AnyView pixels;
    std::optional<Mask> view;
};

// (dy, dx, (sigma_y, sigma_x), ambiguous, score, ((dy, dx, probability), ...), reason)
pybind11::tuple as_tuple(const drift::Drift& found);

pybind11::tuple as_tuples(const std::vector<drift::Drift>& found);

}  // namespace stemzoo
