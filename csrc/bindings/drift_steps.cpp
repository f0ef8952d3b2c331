// Single steps of the drift engine: for training, for alignment, and for tests that hold them
// beside plain references.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/arrays.hpp"
#include "drift/candidates.hpp"
#include "drift/chance.hpp"
#include "drift/coarse_approach.hpp"
#include "drift/decision.hpp"
#include "drift/features.hpp"
#include "drift/look.hpp"
#include "drift/peaks.hpp"
#include "drift/prepared_frame.hpp"
#include "drift/refine.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using drift::Features;
using drift::Frame;
using Lags = std::pair<std::size_t, std::size_t>;
using Pixels = py::array_t<float, py::array::c_style>;

std::pair<py::array_t<float>, std::size_t> look(const py::array_t<float>& pixels,
                                                std::size_t stride, unsigned threads) {
    const View<const float> view = view2d(pixels);
    const Shape shape = drift::look_shape(view.shape, stride);
    py::array_t<float> channels = kept_float32({3, shape.rows, shape.cols});
    float* const out = channels.mutable_data();
    std::size_t needed = 0;
    {
        const py::gil_scoped_release release;
        drift::Look seen(view, threads);
        needed = seen.stride();
        seen.channels(stride, out, threads);
    }
    return {channels, needed};
}

Frame make_frame(const py::array& image, const std::optional<py::array>& mask, unsigned threads) {
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

std::pair<double, double> coarse_approach(const drift::PreparedFrame& reference,
                                          const drift::PreparedFrame& moving,
                                          const drift::Vector& start, unsigned threads) {
    const py::gil_scoped_release release;
    const drift::Vector near =
        drift::coarse_approach(reference.clean(), moving.clean(), start, threads);
    return {near[0], near[1]};
}

// The log-prior of every lag up to `extent`, zero in the middle.
py::array_t<float> prior(Lags extent, Lags frame, std::size_t stride) {
    const Shape lags{extent.first, extent.second}, all{lags.rows * stride, lags.cols * stride};
    const std::vector<float> values =
        drift::prior_surface(lags, all, {frame.first, frame.second}, stride);
    py::array_t<float> surface = new_float32({2 * lags.rows + 1, 2 * lags.cols + 1});
    std::copy(values.begin(), values.end(), surface.mutable_data());
    return surface;
}

Features make_features(const Pixels& maps, Lags reach, unsigned threads) {
    if (maps.ndim() != 3) {
        throw std::invalid_argument("features have " + std::to_string(maps.ndim()) +
                                    " dimension(s); expected (maps, rows, columns)");
    }
    const auto side = [&](int axis) { return static_cast<std::size_t>(maps.shape(axis)); };
    const float* const data = maps.data();
    const py::gil_scoped_release release;
    return Features(data, side(0), {side(1), side(2)}, {reach.first, reach.second}, threads);
}

py::array_t<float> log_odds(const Features& reference, const Features& moving, unsigned threads) {
    const Shape shape = reference.surface_shape();
    py::array_t<float> surface = kept_float32({shape.rows, shape.cols});
    float* const out = surface.mutable_data();
    {
        const py::gil_scoped_release release;
        reference.log_odds(moving, out, threads);
    }
    return surface;
}

py::array_t<float> peaks(const Frame& reference, const Frame& moving, Lags reach, std::size_t most,
                         unsigned threads) {
    std::vector<drift::Peak> found;
    {
        const py::gil_scoped_release release;
        found = drift::peaks(reference, moving, {reach.first, reach.second}, most, threads);
    }
    py::array_t<float> rows = new_float32({found.size(), 4});
    float* out = rows.mutable_data();
    for (const drift::Peak& peak : found) {
        for (const float value : {peak.dy, peak.dx, peak.height, peak.sharpness}) *out++ = value;
    }
    return rows;
}

double overlap_correlation(const Frame& reference, const Frame& moving,
                           std::pair<double, double> drift) {
    const py::gil_scoped_release release;
    return drift::overlap_correlation(reference, moving, drift.first, drift.second);
}

double chance(const Frame& reference, const Frame& moving, std::pair<double, double> drift) {
    const py::gil_scoped_release release;
    return drift::chance(reference, moving, drift.first, drift.second);
}

}  // namespace

void bind_drift_steps(py::module_& m) {
    py::class_<Frame, std::shared_ptr<Frame>>(m, "DriftFrame",
                                              "A frame, transformed once to be refined against "
                                              "many.")
        .def(py::init(&make_frame), py::arg("image"), py::arg("mask") = py::none(),
             py::arg("threads") = 0)
        .def_property_readonly(
            "shape", [](const Frame& f) { return py::make_tuple(f.shape().rows, f.shape().cols); });
    m.def("refine", &refine, py::arg("reference"), py::arg("moving"), py::arg("start"),
          "(dy, dx, (var_yy, var_yx, var_xx)) near the start, or None.");
    m.def("coarse_approach", &coarse_approach, py::arg("reference"), py::arg("moving"),
          py::arg("start"), py::arg("threads") = 0,
          "Near enough to the drift to be refined, from some six pixels away.");
    m.def("log_prior", &prior, py::arg("extent"), py::arg("frame"), py::arg("stride"),
          "Of drifts in steps of `stride` px, up to a constant; zero drift in the middle.");
    m.attr("misleading_features") = drift::misleading;
    m.attr("fine_stride") = drift::fine_stride;
    m.def("beyond_chance", &drift::beyond_chance, py::arg("score"), py::arg("chance"),
          py::arg("places"),
          "Whether frames correlate better than unrelated ones at the best of so many places.");
    m.def(
        "look", &look, py::arg("pixels"), py::arg("stride") = 2, py::arg("threads") = 0,
        "What a feature network is given of a frame: [3, H / stride, W / stride], of a stride of 2 "
        "or 4; and the one of them at which the frame shows all that its lattice has to show.");
    py::class_<Features>(m, "Features", "Maps of one frame, to be compared with many.")
        .def(py::init(&make_features), py::arg("maps"), py::arg("reach"), py::arg("threads") = 0);
    m.def("log_odds", &log_odds, py::arg("reference"), py::arg("moving"), py::arg("threads") = 0,
          "Of every drift up to the features' reach, zero in the middle.");
    m.def("peaks", &peaks, py::arg("reference"), py::arg("moving"), py::arg("reach"),
          py::arg("most"), py::arg("threads") = 0,
          "Where the frames' correlation is highest, the highest peak first: [N, 4], of dy, dx, "
          "height and sharpness.");
    m.def("overlap_correlation", &overlap_correlation, py::arg("reference"), py::arg("moving"),
          py::arg("drift"), "Pearson's, over the overlap once the drift is undone.");
    m.def("chance", &chance, py::arg("reference"), py::arg("moving"), py::arg("drift"),
          "The standard deviation of that correlation, were the frames unrelated.");
}

}  // namespace stemzoo
