#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "drift/frame.hpp"
#include "drift/hot.hpp"
#include "drift/refine.hpp"
#include "drift/survey.hpp"

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

using Pixels = py::array_t<float, py::array::c_style>;

Shape area(const Pixels& pixels) {
    if (pixels.ndim() != 2 || pixels.shape(0) < 2 || pixels.shape(1) < 2) {
        throw std::invalid_argument("a survey needs rows and columns, at least 2 of either");
    }
    return {static_cast<std::size_t>(pixels.shape(0)), static_cast<std::size_t>(pixels.shape(1))};
}

drift::Survey survey(const Pixels& pixels) {
    const View<const float> view{pixels.data(), area(pixels), pixels.shape(1), 1};
    const py::gil_scoped_release release;
    return drift::Survey(view);
}

bool cool(Pixels& pixels, const drift::Survey& survey) {
    const View<float> view{pixels.mutable_data(), area(pixels), pixels.shape(1), 1};
    const py::gil_scoped_release release;
    return drift::cool(view, survey);
}

py::array_t<bool> flags(const std::vector<unsigned char>& values) {
    py::array_t<bool> array(static_cast<py::ssize_t>(values.size()));
    std::copy(values.begin(), values.end(), array.mutable_data());
    return array;
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
    m.def(
        "zeros",
        [](std::size_t rows, std::size_t cols) {
            py::array_t<float> pixels = kept_float32({rows, cols});
            std::fill_n(pixels.mutable_data(), pixels.size(), 0.0f);
            return pixels;
        },
        py::arg("rows"), py::arg("cols"),
        "In memory that is kept when they go, and handed out again.");
    using drift::Survey;
    const auto means = [](const std::vector<float>& values) {
        return py::array_t<float>(static_cast<py::ssize_t>(values.size()), values.data());
    };
    py::class_<Survey>(m, "Survey", "What a frame whose mean is near zero is like.")
        .def(py::init(&survey), py::arg("pixels"))
        .def_readonly("lowest", &Survey::lowest)
        .def_readonly("highest", &Survey::highest)
        .def_readonly("mean_square", &Survey::mean_square)
        .def_readonly("noise", &Survey::noise)
        .def_property_readonly("row_means", [=](const Survey& s) { return means(s.row_means); })
        .def_property_readonly("column_means",
                               [=](const Survey& s) { return means(s.column_means); })
        .def_property_readonly("same_rows", [](const Survey& s) { return flags(s.same_rows); })
        .def_property_readonly("same_columns",
                               [](const Survey& s) { return flags(s.same_columns); });
    py::class_<Frame>(m, "DriftFrame", "A frame, transformed once to be refined against many.")
        .def(py::init(&make), py::arg("image"), py::arg("mask") = py::none(),
             py::arg("threads") = 0)
        .def_property_readonly(
            "shape", [](const Frame& f) { return py::make_tuple(f.shape().rows, f.shape().cols); });
    m.def("cool", &cool, py::arg("pixels").noconvert(), py::arg("survey"),
          "Makes hot pixels the median of their neighbours, in place; whether there were any.");
    m.def("refine", &refine, py::arg("reference"), py::arg("moving"), py::arg("start"),
          "(dy, dx, (var_yy, var_yx, var_xx)) near the start, or None.");
}

}  // namespace stemzoo
