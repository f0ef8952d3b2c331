#include "ncc/ncc.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Shift = std::pair<std::size_t, std::size_t>;
using OptionalArray = std::optional<py::array>;
using ncc::Reference;

std::optional<Mask> view_optional(const OptionalArray& mask) {
    if (!mask) return std::nullopt;
    return view_mask(*mask);
}

const Mask* address(const std::optional<Mask>& mask) { return mask ? &*mask : nullptr; }

Reference make_reference(const py::array& image, Shift max_shift, double min_overlap,
                         const OptionalArray& mask, unsigned threads) {
    const AnyView view = any_view(image);
    const std::optional<Mask> mask_view = view_optional(mask);
    const py::gil_scoped_release release;
    return Reference(view, {max_shift.first, max_shift.second, min_overlap}, address(mask_view),
                     threads);
}

py::array_t<float> correlate_one(const Reference& reference, const py::array& frame,
                                 const OptionalArray& mask, unsigned threads) {
    const AnyView view = any_view(frame);
    const std::optional<Mask> mask_view = view_optional(mask);
    const Shape shape = reference.surface_shape();
    py::array_t<float> surface = new_float32({shape.rows, shape.cols});
    float* const out = surface.mutable_data();
    {
        const py::gil_scoped_release release;
        reference.correlate(view, address(mask_view), out, threads);
    }
    return surface;
}

py::array_t<float> correlate_many(const Reference& reference, const py::array& stack,
                                  const OptionalArray& masks, unsigned threads) {
    const std::vector<py::array> frames = frames_of(stack);
    std::vector<AnyView> views;
    for (const py::array& frame : frames) views.push_back(any_view(frame));
    std::vector<py::array> mask_frames;
    std::vector<Mask> mask_views;
    if (masks && masks->ndim() == 2) {
        mask_views.assign(frames.size(), view_mask(*masks));
    } else if (masks) {
        mask_frames = frames_of(*masks);
        for (const py::array& mask : mask_frames) mask_views.push_back(view_mask(mask));
    }
    const Shape shape = reference.surface_shape();
    py::array_t<float> surfaces = new_float32({frames.size(), shape.rows, shape.cols});
    float* const out = surfaces.mutable_data();
    {
        const py::gil_scoped_release release;
        reference.correlate(views, mask_views, out, threads);
    }
    return surfaces;
}

py::array_t<float> correlate(const Reference& reference, const py::array& frames,
                             const OptionalArray& masks, unsigned threads) {
    if (masks && masks->ndim() != 2 && masks->ndim() != 3) {
        throw std::invalid_argument("masks has " + std::to_string(masks->ndim()) +
                                    " dimensions; expected 2, or 3 for a mask a frame");
    }
    if (frames.ndim() == 3) return correlate_many(reference, frames, masks, threads);
    if (frames.ndim() == 2) return correlate_one(reference, frames, masks, threads);
    throw std::invalid_argument("frames has " + std::to_string(frames.ndim()) +
                                " dimensions; expected 2 (one image) or 3 (a stack of images)");
}

// A single pair: the reference lives as long as the call, so its pixels need no copy.
py::array_t<float> correlate_pair(const py::array& reference, const py::array& moving,
                                  Shift max_shift, double min_overlap, const OptionalArray& mask,
                                  const OptionalArray& moving_mask, unsigned threads) {
    const AnyView reference_view = any_view(reference), moving_view = any_view(moving);
    const std::optional<Mask> reference_mask = view_optional(mask);
    const std::optional<Mask> moving_mask_view = view_optional(moving_mask);
    std::optional<Reference> prepared;
    {
        const py::gil_scoped_release release;
        prepared.emplace(reference_view,
                         ncc::Settings{max_shift.first, max_shift.second, min_overlap},
                         address(reference_mask), threads, Reference::Pixels::borrow);
    }
    const Shape shape = prepared->surface_shape();
    py::array_t<float> surface = new_float32({shape.rows, shape.cols});
    float* const out = surface.mutable_data();
    {
        const py::gil_scoped_release release;
        prepared->correlate(moving_view, address(moving_mask_view), out, threads);
    }
    return surface;
}

py::tuple sides(Shape shape) { return py::make_tuple(shape.rows, shape.cols); }

}  // namespace

void bind_ncc(py::module_& m) {
    constexpr double min_overlap = ncc::Settings{}.min_overlap;
    py::class_<Reference>(m, "NccReference",
                          "A reference image, transformed once to be correlated with many.")
        .def(py::init(&make_reference), py::arg("reference"), py::arg("max_shift"),
             py::arg("min_overlap") = min_overlap, py::arg("mask") = py::none(),
             py::arg("threads") = 0)
        .def("correlate", &correlate, py::arg("frames"), py::arg("masks") = py::none(),
             py::arg("threads") = 0,
             "The surface of one frame (2-D), or of each frame of a stack (3-D).")
        .def_property_readonly("shape", [](const Reference& r) { return sides(r.image_shape()); })
        .def_property_readonly("surface_shape",
                               [](const Reference& r) { return sides(r.surface_shape()); });
    m.def("ncc", &correlate_pair, py::arg("reference"), py::arg("moving"), py::arg("max_shift"),
          py::arg("min_overlap") = min_overlap, py::arg("mask") = py::none(),
          py::arg("moving_mask") = py::none(), py::arg("threads") = 0,
          "The surface of one pair of images.");
}

}  // namespace stemzoo
