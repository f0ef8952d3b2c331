#include <pybind11/pybind11.h>

#include "bindings/arrays.hpp"
#include "trust/prominence.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

py::tuple maxima(const FloatImage& image, float least) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    std::vector<trust::Maximum> found;
    {
        const py::gil_scoped_release release;
        found = trust::maxima(pixels, shape, least);
    }
    const auto count = static_cast<py::ssize_t>(found.size());
    py::array_t<std::int64_t> places(std::vector<py::ssize_t>{count, 2});
    py::array_t<float> rises(count);
    auto place = places.mutable_unchecked<2>();
    auto rise = rises.mutable_unchecked<1>();
    for (py::ssize_t i = 0; i < count; ++i) {
        const auto& one = found[static_cast<std::size_t>(i)];
        place(i, 0) = static_cast<std::int64_t>(one.place / shape.cols);
        place(i, 1) = static_cast<std::int64_t>(one.place % shape.cols);
        rise(i) = pixels[one.place] - one.saddle;
    }
    return py::make_tuple(places, rises);
}

}  // namespace

void bind_trust(py::module_& m) {
    m.def(
        "maxima", &maxima, py::arg("image"), py::arg("least"),
        "The maxima of an image, highest first: ((n, 2) rows and columns, how far each rises above "
        "its saddle). Those that rise by less than `least` are left out.");
}

}  // namespace stemzoo
