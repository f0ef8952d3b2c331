#include "drift/resample.hpp"

#include <pybind11/pybind11.h>

#include "bindings/arrays.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Pixels = py::array_t<float, py::array::c_style>;
using Firsts = py::array_t<std::int64_t, py::array::c_style>;
using Resample = void (*)(const float*, Shape, const drift::Taps&, float*);

template <Resample resample>
py::array_t<float> resampled(const Pixels& image, const Firsts& first, const Pixels& weights) {
    require_two_dimensions(image);
    require_two_dimensions(weights);
    if (first.ndim() != 1 || first.shape(0) != image.shape(0) ||
        weights.shape(0) != image.shape(0)) {
        throw std::invalid_argument("an image of " + std::to_string(image.shape(0)) +
                                    " rows needs as many first neighbours and rows of weights");
    }
    const Shape shape{static_cast<std::size_t>(image.shape(0)),
                      static_cast<std::size_t>(image.shape(1))};
    const drift::Taps taps{first.data(), weights.data(),
                           static_cast<std::size_t>(weights.shape(1))};
    py::array_t<float> result = new_float32({shape.rows, shape.cols});
    const float* const from = image.data();
    float* const to = result.mutable_data();
    const py::gil_scoped_release release;
    resample(from, shape, taps, to);
    return result;
}

}  // namespace

void bind_resample(py::module_& m) {
    m.def("move_rows", &resampled<drift::move_rows>, py::arg("image"), py::arg("first"),
          py::arg("weights"), "Row r is the weighted sum of rows first[r], first[r] + 1, ...");
    m.def("slide_rows", &resampled<drift::slide_rows>, py::arg("image"), py::arg("first"),
          py::arg("weights"),
          "Column c of row r is that of columns c + first[r], c + first[r] + 1, ... of the row.");
}

}  // namespace stemzoo
