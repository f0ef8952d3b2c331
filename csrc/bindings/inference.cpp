#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/arrays.hpp"
#include "inference/plan_tiles.hpp"
#include "inference/run_network.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using inference::Batch;
using Pair = std::pair<std::size_t, std::size_t>;
using Floats = py::array_t<float, py::array::c_style>;

// The batch as [N, 1, H, W]. The array holds the memory for as long as Python keeps it.
Floats as_array(const Batch& batch) {
    auto held = std::make_unique<std::shared_ptr<float>>(batch.pixels);
    const py::capsule owner(
        held.get(), [](void* memory) { delete static_cast<std::shared_ptr<float>*>(memory); });
    held.release();
    return Floats({batch.count, std::size_t{1}, batch.tile.rows, batch.tile.cols},
                  batch.pixels.get(), owner);
}

Floats checked(const py::object& answer, const Floats& batch) {
    if (!py::isinstance<Floats>(answer)) {
        throw std::invalid_argument("the network gave " +
                                    py::str(py::type::of(answer)).cast<std::string>() +
                                    "; expected a C-contiguous float32 array");
    }
    Floats array = py::reinterpret_borrow<Floats>(answer);
    const bool alike = array.ndim() == batch.ndim() &&
                       std::equal(batch.shape(), batch.shape() + batch.ndim(), array.shape());
    if (!alike) {
        throw std::invalid_argument("the network gave an array of another shape than its input");
    }
    return array;
}

// Calls Python with the GIL, and keeps the last answer alive.
class PythonNetwork {
  public:
    explicit PythonNetwork(py::function function) : function_(std::move(function)) {}

    const float* operator()(const Batch& batch) {
        const py::gil_scoped_acquire acquire;
        const Floats given = as_array(batch);
        answer_ = checked(function_(given), given);
        return answer_.data();
    }

  private:
    py::function function_;
    Floats answer_;
};

Progress progress_of(const std::optional<py::function>& function) {
    if (!function) return {};
    return [&function](std::size_t done, std::size_t total) {
        const py::gil_scoped_acquire acquire;
        (*function)(done, total);
        return true;
    };
}

Tiling plan_tiles(Pair image, std::size_t multiple, std::size_t halo, std::size_t whole,
                  std::size_t window, std::size_t step, std::size_t max_tile) {
    return inference::plan_tiles({image.first, image.second}, {multiple, halo, whole, window, step},
                                 max_tile);
}

py::tuple run_python_network(const py::array& image, const Tiling& tiling, py::function network,
                             std::optional<std::pair<double, double>> mean_std,
                             const std::optional<py::array>& mask, unsigned threads,
                             const std::optional<py::function>& progress) {
    const AnyView view = any_view(image);
    inference::Options options;
    if (mean_std) options.normalisation = {mean_std->first, mean_std->second};
    if (mask) options.mask = view_mask(*mask);
    options.progress = progress_of(progress);
    options.threads = threads;
    PythonNetwork callback(std::move(network));
    py::array_t<float> result = new_float32({tiling.image().rows, tiling.image().cols});
    const View<float> out = view2d(result);
    inference::Normalised used;
    {
        const py::gil_scoped_release release;
        used = inference::run_network(view, tiling, std::ref(callback), out, options);
    }
    std::optional<std::pair<double, double>> limits;
    if (used.limits) limits = {used.limits->low, used.limits->high};
    return py::make_tuple(result, used.mean, used.std, limits);
}

}  // namespace

void bind_inference(py::module_& m) {
    using namespace py::literals;
    m.attr("MAX_TILE") = inference::kMaxTile;
    m.attr("BATCH_PIXELS") = inference::kBatchPixels;
    m.def("plan_tiles", plan_tiles, "image"_a, py::kw_only(), "multiple"_a, "halo"_a, "whole"_a = 0,
          "window"_a = 0, "step"_a = 0, "max_tile"_a = inference::kMaxTile,
          "How a network is laid over an image.");
    m.def("run_network", run_python_network, "image"_a, "tiling"_a, "network"_a,
          "mean_std"_a = py::none(), "mask"_a = py::none(), "threads"_a = 0,
          "progress"_a = py::none(),
          "(result, mean, standard deviation, the range of all pixels but hot ones, if there are "
          "any)");
}

}  // namespace stemzoo
