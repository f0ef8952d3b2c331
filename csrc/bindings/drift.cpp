#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>

#include "bindings/arrays.hpp"
#include "drift/frame.hpp"
#include "drift/refine.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using drift::Frame;

Frame make(const py::array& image, const std::optional<py::array>& mask, unsigned threads) {
    const AnyView view = any_view(image);
    std::optional<Mask> mask_view;
    if (mask) mask_view = view_mask(*mask);
    const py::gil_scoped_release release;
    return Frame(view, mask_view ? &*mask_view : nullptr, threads);
}

py::object refine(const Frame& reference, const Frame& moving, std::pair<double, double> start) {
    std::optional<drift::Refined> d;
    {
        const py::gil_scoped_release release;
        d = drift::refine(reference, moving, start.first, start.second);
    }
    if (!d) return py::none();
    return py::make_tuple(d->dy, d->dx, py::make_tuple(d->yy, d->yx, d->xx));
}

}  // namespace

void bind_drift(py::module_& m) {
    py::class_<Frame>(m, "DriftFrame", "A frame, transformed once to be refined against many.")
        .def(py::init(&make), py::arg("image"), py::arg("mask") = py::none(),
             py::arg("threads") = 0)
        .def_property_readonly(
            "shape", [](const Frame& f) { return py::make_tuple(f.shape().rows, f.shape().cols); });
    m.def("refine", &refine, py::arg("reference"), py::arg("moving"), py::arg("start"),
          "(dy, dx, (var_yy, var_yx, var_xx)) near the start, or None.");
}

}  // namespace stemzoo
