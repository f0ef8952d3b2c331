#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/device_tensor.hpp"
#include "cuda/open_module.hpp"
#include "cuda/run_network.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;
using OptionalTensor = std::optional<DeviceTensor>;

py::tuple devices() {
    const cuda::OpenedModule& opened = cuda::opened_module();
    py::list found;
    for (int device = 0; device < opened.devices && opened.module != nullptr; ++device) {
        const cuda::DeviceInfo info = opened.module->describe(device);
        found.append(py::make_tuple(info.name, info.total_bytes, info.free_bytes,
                                    py::make_tuple(info.major, info.minor)));
    }
    const bool emulated = opened.module != nullptr && opened.module->emulated();
    return py::make_tuple(found, opened.reason, emulated);
}

class PyCorrelator {
  public:
    PyCorrelator(const py::object& reference, Pair max_shift, double min_overlap,
                 std::size_t working_bytes, int device, std::size_t stream)
        : device_(device) {
        const cuda::Module& module = cuda::module_for(device);
        const GivenFrames still = given_frames(reference, device);
        shape_ = still.frames.shape;
        const cuda::CorrelatorSettings settings = cuda::correlator_settings(
            shape_, {max_shift.first, max_shift.second, min_overlap}, working_bytes);
        surface_ = settings.geometry.surface();
        const py::gil_scoped_release release;
        correlator_ =
            module.correlator(device, still.frames, still.on_host, settings, stream_of(stream));
    }

    py::object correlate(const py::object& images, std::size_t stream) const {
        const GivenFrames moving = given_frames(images, device_);
        if (moving.frames.shape != shape_) {
            throw std::invalid_argument("moving image is " + moving.frames.shape.text() +
                                        " pixels but the reference is " + shape_.text() +
                                        "; expected equal shapes");
        }
        const bool stack = moving.kept.attr("ndim").cast<int>() == 3;
        std::vector<std::size_t> shape{surface_.rows, surface_.cols};
        if (stack) shape.insert(shape.begin(), moving.frames.count);
        if (moving.on_host) {
            py::array_t<float> surfaces(shape);
            run(moving, surfaces.mutable_data(), true, stream);
            return surfaces;
        }
        DeviceTensor surfaces = DeviceTensor::empty(device_, shape);
        run(moving, static_cast<float*>(surfaces.data), false, stream);
        return py::cast(std::move(surfaces));
    }

    std::size_t bytes() const { return correlator_->bytes(); }
    int device() const { return device_; }

  private:
    void run(const GivenFrames& moving, float* out, bool on_host, std::size_t stream) const {
        const py::gil_scoped_release release;
        correlator_->correlate(moving.frames, moving.on_host, out, on_host, stream_of(stream));
    }

    int device_;
    Shape shape_, surface_;
    std::unique_ptr<cuda::Correlator> correlator_;
};

class PyTiles {
  public:
    PyTiles(const Tiling& tiling, int device)
        : tiling_(tiling),
          device_(device),
          tiles_(cuda::module_for(device).tiles(device, cuda::axis_data(tiling.rows()),
                                                cuda::axis_data(tiling.cols()))) {}

    DeviceTensor split(const py::object& image, std::size_t first, std::size_t count,
                       OptionalTensor out, std::size_t stream) const {
        tiling_.require_windows(first, count);
        const DeviceTensor given = on_device(image, device_, stream_of(stream));
        require("image", given, {tiling_.image().rows, tiling_.image().cols}, false);
        const Shape tile = tiling_.tile();
        DeviceTensor batch =
            out ? *out : DeviceTensor::empty(device_, {count, tile.rows, tile.cols});
        require("out", batch, {count, tile.rows, tile.cols}, true);
        const py::gil_scoped_release release;
        tiles_->split(given.frames(), 0, 1, nullptr, first, count, static_cast<float*>(batch.data),
                      stream_of(stream));
        return batch;
    }

    DeviceTensor blend(const py::object& windows, OptionalTensor out, std::size_t first,
                       std::optional<float> fill, std::size_t stream) const {
        const DeviceTensor batch = on_device(windows, device_, stream_of(stream));
        const Shape tile = tiling_.tile(), image = tiling_.image();
        const std::size_t count = batch.shape.empty() ? 0 : batch.shape[0];
        require("batch", batch, {count, tile.rows, tile.cols}, true);
        tiling_.require_windows(first, count);
        DeviceTensor result = out ? *out : DeviceTensor::empty(device_, {image.rows, image.cols});
        require("out", result, {image.rows, image.cols}, true);
        const View<float> view = contiguous(static_cast<float*>(result.data), image);
        const py::gil_scoped_release release;
        tiles_->blend(static_cast<const float*>(batch.data), first, count, 1,
                      fill ? &*fill : nullptr, view, stream_of(stream));
        return result;
    }

  private:
    void require(const char* what, const DeviceTensor& tensor,
                 const std::vector<std::size_t>& shape, bool plain) const {
        const bool fits = tensor.shape == shape && tensor.device == device_ &&
                          (!plain || (tensor.type == cuda::PixelType::f32 && tensor.contiguous()));
        if (fits) return;
        std::string expected;
        for (const std::size_t side : shape) {
            expected += (expected.empty() ? "" : ", ") + std::to_string(side);
        }
        throw std::invalid_argument(
            std::string(what) + " on the GPU does not fit; expected shape (" + expected + ")" +
            (plain ? ", C-contiguous float32" : "") + " on cuda:" + std::to_string(device_));
    }

    Tiling tiling_;
    int device_;
    std::unique_ptr<cuda::Tiles> tiles_;
};

// Calls Python with the batch on the device, [N, 1, H, W], and keeps the last answer alive.
class DeviceNetwork {
  public:
    DeviceNetwork(py::function function, int device)
        : function_(std::move(function)), device_(device) {}

    const float* operator()(const inference::Batch& batch) {
        const py::gil_scoped_acquire acquire;
        DeviceTensor given;
        given.owner = batch.pixels;
        given.device = device_;
        given.data = batch.pixels.get();
        const auto tile = batch.tile.size();
        given.shape = {batch.count, 1, batch.tile.rows, batch.tile.cols};
        given.strides = {static_cast<std::ptrdiff_t>(tile), static_cast<std::ptrdiff_t>(tile),
                         static_cast<std::ptrdiff_t>(batch.tile.cols), 1};
        answer_ = function_(given).cast<DeviceTensor>();
        if (answer_.shape != given.shape || !answer_.contiguous() || answer_.device != device_ ||
            answer_.type != cuda::PixelType::f32) {
            throw std::invalid_argument(
                "the network gave an array of another shape, type or device than its input");
        }
        return static_cast<const float*>(answer_.data);
    }

  private:
    py::function function_;
    int device_;
    DeviceTensor answer_;
};

py::tuple run_network(const py::object& image, const Tiling& tiling, py::function network,
                      std::optional<std::pair<double, double>> mean_std, DeviceTensor result,
                      std::size_t stream, const std::optional<py::function>& progress) {
    const int device = result.device;
    const cuda::OnDevice on{cuda::module_for(device), device, stream_of(stream)};
    const DeviceTensor given = on_device(image, device, on.stream);
    const Shape shape = tiling.image();
    if (result.type != cuda::PixelType::f32 || given.frames().shape != shape ||
        result.frames().shape != shape) {
        throw std::invalid_argument("image and result on the GPU must be of the shape " +
                                    shape.text() + " of the tiling, and the result float32");
    }
    inference::Options options;
    if (mean_std) options.normalisation = {mean_std->first, mean_std->second};
    if (progress) {
        options.progress = [&progress](std::size_t done, std::size_t total) {
            const py::gil_scoped_acquire acquire;
            (*progress)(done, total);
            return true;
        };
    }
    DeviceNetwork callback(std::move(network), device);
    const cuda::Frames to = result.frames();
    const View<float> out{static_cast<float*>(result.data), shape, to.row_stride, to.col_stride};
    inference::Normalised used;
    {
        const py::gil_scoped_release release;
        used = cuda::run_network(on, given.frames(), tiling, std::ref(callback), out, options);
    }
    std::optional<std::pair<double, double>> limits;
    if (used.limits) limits = {used.limits->low, used.limits->high};
    return py::make_tuple(result, used.mean, used.std, limits);
}

}  // namespace

void bind_cuda(py::module_& m) {
    using namespace py::literals;
    m.def("cuda_devices", &devices,
          "((name, bytes, free bytes, compute capability) of each GPU, why there are none, whether "
          "they are emulated)");
    py::class_<PyCorrelator>(m, "DeviceCorrelator", "A reference on a GPU.")
        .def(py::init<const py::object&, Pair, double, std::size_t, int, std::size_t>(),
             "reference"_a, "max_shift"_a, "min_overlap"_a, "working_bytes"_a, "device"_a,
             "stream"_a = 0)
        .def("correlate", &PyCorrelator::correlate, "frames"_a, "stream"_a = 0)
        .def_property_readonly("bytes", &PyCorrelator::bytes)
        .def_property_readonly("device", &PyCorrelator::device);
    py::class_<PyTiles>(m, "DeviceTiles", "A tiling on a GPU.")
        .def(py::init<const Tiling&, int>(), "tiling"_a, "device"_a)
        .def("split", &PyTiles::split, "image"_a, "first"_a, "count"_a, "out"_a = py::none(),
             "stream"_a = 0)
        .def("blend", &PyTiles::blend, "batch"_a, "out"_a = py::none(), "first"_a = 0,
             "fill"_a = py::none(), "stream"_a = 0);
    m.def("run_network_on_device", &run_network, "image"_a, "tiling"_a, "network"_a, "mean_std"_a,
          "result"_a, "stream"_a = 0, "progress"_a = py::none());
}

}  // namespace stemzoo
