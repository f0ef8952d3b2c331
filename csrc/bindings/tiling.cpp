#include "tiling/tiling.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>

#include "bindings/arrays.hpp"
#include "tiling/statistics.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;
using Windows = py::array_t<float>;

Shape shape(Pair pair) { return {pair.first, pair.second}; }
Pair pair(Shape shape) { return {shape.rows, shape.cols}; }

Tiling make_tiling(Pair image, Pair tile, Pair step, const std::string& weights, Pair multiple) {
    return Tiling(shape(image), shape(tile), shape(step), weights_from_name(weights),
                  shape(multiple));
}

py::array_t<std::int64_t> starts(const Tiling& tiling) {
    py::array_t<std::int64_t> result({static_cast<py::ssize_t>(tiling.windows()), py::ssize_t{2}});
    std::int64_t* out = result.mutable_data();
    for (std::size_t row = 0; row < tiling.rows().windows(); ++row) {
        for (std::size_t col = 0; col < tiling.cols().windows(); ++col) {
            *out++ = static_cast<std::int64_t>(tiling.rows().start(row));
            *out++ = static_cast<std::int64_t>(tiling.cols().start(col));
        }
    }
    return result;
}

// The number of windows in a batch, whose memory is then safe to read or write.
std::size_t windows_in(const Tiling& tiling, const Windows& batch) {
    const bool contiguous = (batch.flags() & py::array::c_style) != 0;
    if (batch.ndim() == 3 && contiguous &&
        Shape{static_cast<std::size_t>(batch.shape(1)), static_cast<std::size_t>(batch.shape(2))} ==
            tiling.tile()) {
        return static_cast<std::size_t>(batch.shape(0));
    }
    throw std::invalid_argument("batch has the wrong shape or is not C-contiguous; expected (n, " +
                                std::to_string(tiling.rows().tile()) + ", " +
                                std::to_string(tiling.cols().tile()) + ")");
}

Windows split(const Tiling& tiling, const py::array& image, std::size_t first, std::size_t count,
              double offset, double scale, std::optional<Windows> out, unsigned threads,
              const std::optional<std::pair<double, double>>& limits) {
    const AnyView view = any_view(image);
    tiling.require_windows(first, count);
    Windows batch =
        out ? std::move(*out) : new_float32({count, tiling.rows().tile(), tiling.cols().tile()});
    if (windows_in(tiling, batch) != count) {
        throw std::invalid_argument("out holds " + std::to_string(batch.shape(0)) +
                                    " windows; expected " + std::to_string(count));
    }
    float* memory = batch.mutable_data();
    std::optional<Limits> range;
    if (limits) range = Limits{limits->first, limits->second};
    {
        const py::gil_scoped_release release;
        tiling.split(view, offset, scale, first, count, memory, threads, range);
    }
    return batch;
}

void blend(const Tiling& tiling, const Windows& batch, Windows out, std::size_t first, double gain,
           std::optional<double> fill, unsigned threads) {
    const std::size_t count = windows_in(tiling, batch);
    const float* memory = batch.data();
    const View<float> view = view2d(out);
    const py::gil_scoped_release release;
    if (fill) {
        tiling.blend_from(static_cast<float>(*fill), memory, first, count, gain, view, threads);
    } else {
        tiling.blend(memory, first, count, gain, view, threads);
    }
}

py::tuple measure_array(const py::array& image, unsigned threads) {
    const AnyView view = any_view(image);
    Statistics result;
    {
        const py::gil_scoped_release release;
        result = measure(view, threads);
    }
    std::optional<std::pair<double, double>> limits;
    if (result.limits) limits = {result.limits->low, result.limits->high};
    return py::make_tuple(result.mean, result.std, result.finite, limits);
}

}  // namespace

void bind_tiling(py::module_& m) {
    using namespace py::literals;
    m.def("measure", measure_array, "image"_a, "threads"_a = 0,
          "(mean, standard deviation, whether every pixel is finite, the range of all pixels but "
          "hot ones, if there are any)");
    py::class_<Tiling>(m, "Tiling")
        .def(py::init(&make_tiling), "image"_a, "tile"_a, "step"_a, "weights"_a, "multiple"_a)
        .def_static(
            "for_model",
            [](Pair image, std::size_t multiple, std::size_t halo, std::size_t max_tile) {
                return Tiling::for_model(shape(image), multiple, halo, max_tile);
            },
            "image"_a, "multiple"_a, "halo"_a, "max_tile"_a)
        .def_property_readonly("image", [](const Tiling& t) { return pair(t.image()); })
        .def_property_readonly("tile", [](const Tiling& t) { return pair(t.tile()); })
        .def_property_readonly("step", [](const Tiling& t) { return pair(t.step()); })
        .def_property_readonly("weights", [](const Tiling& t) { return weights_name(t.weights()); })
        .def("__len__", &Tiling::windows)
        .def("starts", &starts)
        .def("split", &split, "image"_a, "first"_a, "count"_a, "offset"_a = 0.0, "scale"_a = 1.0,
             py::arg("out").noconvert() = py::none(), "threads"_a = 0, "limits"_a = py::none())
        .def("blend", &blend, py::arg("batch").noconvert(), py::arg("out").noconvert(),
             "first"_a = 0, "gain"_a = 1.0, "fill"_a = py::none(), "threads"_a = 0);
}

}  // namespace stemzoo
