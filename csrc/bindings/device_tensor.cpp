#include "bindings/device_tensor.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "bindings/arrays.hpp"
#include "bindings/dlpack.hpp"
#include "cuda/open_module.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using cuda::PixelType;
using Strides = std::vector<std::ptrdiff_t>;

struct Name {
    PixelType type;
    const char* text;  // as NumPy writes it, without the byte order
    std::uint8_t code, bits;
};

constexpr Name type_names[] = {
    {PixelType::u8, "u1", dlpack::uint_code, 8},    {PixelType::i8, "i1", dlpack::int_code, 8},
    {PixelType::u16, "u2", dlpack::uint_code, 16},  {PixelType::i16, "i2", dlpack::int_code, 16},
    {PixelType::u32, "u4", dlpack::uint_code, 32},  {PixelType::i32, "i4", dlpack::int_code, 32},
    {PixelType::u64, "u8", dlpack::uint_code, 64},  {PixelType::i64, "i8", dlpack::int_code, 64},
    {PixelType::f32, "f4", dlpack::float_code, 32}, {PixelType::f64, "f8", dlpack::float_code, 64},
    {PixelType::u8, "b1", dlpack::bool_code, 8},
};

const Name& name_of(PixelType type) {
    return *std::find_if(std::begin(type_names), std::end(type_names),
                         [&](const Name& each) { return each.type == type; });
}

template <typename Matches>
PixelType type_that(const Matches& matches, const std::string& given) {
    const auto* found = std::find_if(std::begin(type_names), std::end(type_names), matches);
    if (found != std::end(type_names)) return found->type;
    throw std::invalid_argument("an array on the GPU has dtype " + given +
                                "; expected an integer of 8 to 64 bits, float32 or float64; "
                                "convert it there, such as by array.astype('float32')");
}

Strides c_strides(const std::vector<std::size_t>& shape) {
    Strides strides(shape.size(), 1);
    for (std::size_t axis = shape.size(); axis-- > 1;) {
        strides[axis - 1] = strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
    }
    return strides;
}

DeviceTensor from_interface(const py::object& array) {
    const auto interface = array.attr("__cuda_array_interface__").cast<py::dict>();
    const auto text = interface["typestr"].cast<std::string>();
    if (text.at(0) == '>') {
        throw std::invalid_argument("an array on the GPU is big-endian (" + text +
                                    "); convert it there to this machine's byte order");
    }
    DeviceTensor tensor;
    tensor.type = type_that([&](const Name& each) { return text.substr(1) == each.text; }, text);
    tensor.shape = interface["shape"].cast<std::vector<std::size_t>>();
    tensor.data =
        reinterpret_cast<void*>(interface["data"].cast<py::tuple>()[0].cast<std::size_t>());
    tensor.strides = c_strides(tensor.shape);
    if (interface.contains("strides") && !interface["strides"].is_none()) {
        const auto item = static_cast<std::ptrdiff_t>(cuda::bytes_of(tensor.type));
        tensor.strides = interface["strides"].cast<Strides>();
        for (std::ptrdiff_t& stride : tensor.strides) {
            if (stride % item != 0) {
                throw std::invalid_argument(
                    "strides of an array on the GPU are no multiple of its "
                    "item size; pass a copy");
            }
            stride /= item;
        }
    }
    const cuda::OpenedModule& opened = cuda::opened_module();
    if (opened.module == nullptr) throw std::invalid_argument(opened.reason);
    tensor.device = tensor.size() == 0 ? 0 : opened.module->device_of(tensor.data);
    if (tensor.device < 0) {
        throw std::invalid_argument(
            "an array with __cuda_array_interface__ lies in memory of the "
            "host; expected memory of a GPU");
    }
    tensor.owner = std::shared_ptr<void>(new py::object(array), [](void* held) {
        const py::gil_scoped_acquire acquire;
        delete static_cast<py::object*>(held);
    });
    return tensor;
}

DeviceTensor from_dlpack(py::capsule capsule) {
    if (std::string(capsule.name()) != dlpack::name) {
        throw std::invalid_argument("a DLPack capsule was used already; export the array again");
    }
    auto* const managed = capsule.get_pointer<dlpack::ManagedTensor>();
    const dlpack::Tensor& given = managed->tensor;
    DeviceTensor tensor;
    const std::string dtype = "code " + std::to_string(given.dtype.code) + " of " +
                              std::to_string(given.dtype.bits) + " bits";
    tensor.type = type_that(
        [&](const Name& each) {
            return given.dtype.lanes == 1 && each.code == given.dtype.code &&
                   each.bits == given.dtype.bits;
        },
        dtype);
    tensor.device = given.device.id;
    tensor.data = static_cast<char*>(given.data) + given.byte_offset;
    tensor.shape.assign(given.shape, given.shape + given.ndim);
    tensor.strides = c_strides(tensor.shape);
    if (given.strides != nullptr) tensor.strides.assign(given.strides, given.strides + given.ndim);
    capsule.set_name(dlpack::used_name);  // the tensor is ours to give back from now on
    tensor.owner = std::shared_ptr<void>(managed, [](void* held) {
        const py::gil_scoped_acquire acquire;  // its owner may be a Python object
        auto* const used = static_cast<dlpack::ManagedTensor*>(held);
        if (used->deleter != nullptr) used->deleter(used);
    });
    return tensor;
}

// What a consumer of DLPack holds.
struct Exported {
    DeviceTensor tensor;
    std::vector<std::int64_t> shape, strides;
    dlpack::ManagedTensor managed;
};

py::capsule to_dlpack(const DeviceTensor& tensor) {
    auto exported = std::make_unique<Exported>();
    exported->tensor = tensor;
    exported->shape.assign(tensor.shape.begin(), tensor.shape.end());
    exported->strides.assign(tensor.strides.begin(), tensor.strides.end());
    const Name& name = name_of(tensor.type);
    exported->managed = {
        {tensor.data,
         {dlpack::cuda, tensor.device},
         static_cast<std::int32_t>(tensor.shape.size()),
         {name.code, name.bits, 1},
         exported->shape.data(),
         exported->strides.data(),
         0},
        exported.get(),
        [](dlpack::ManagedTensor* used) { delete static_cast<Exported*>(used->context); }};
    const py::capsule capsule(&exported->managed, dlpack::name, [](PyObject* object) {
        if (!PyCapsule_IsValid(object, dlpack::name)) return;  // a consumer took it
        auto* const held =
            static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(object, dlpack::name));
        held->deleter(held);
    });
    exported.release();
    return capsule;
}

py::dict to_interface(const DeviceTensor& tensor) {
    py::tuple strides(tensor.strides.size());
    for (std::size_t axis = 0; axis < tensor.strides.size(); ++axis) {
        strides[axis] =
            tensor.strides[axis] * static_cast<std::ptrdiff_t>(cuda::bytes_of(tensor.type));
    }
    py::dict interface;
    interface["version"] = 3;
    interface["shape"] = py::tuple(py::cast(tensor.shape));
    interface["typestr"] = std::string("<") + name_of(tensor.type).text;
    interface["data"] = py::make_tuple(reinterpret_cast<std::size_t>(tensor.data), false);
    interface["strides"] = strides;
    interface["stream"] = py::none();  // what made it is done
    return interface;
}

DeviceTensor frame_of(const DeviceTensor& stack, std::size_t index) {
    if (stack.shape.size() != 3 || index >= stack.shape[0]) {
        throw py::index_error("there is no frame " + std::to_string(index));
    }
    DeviceTensor frame = stack;
    frame.data = static_cast<char*>(stack.data) +
                 static_cast<std::ptrdiff_t>(index) * stack.strides[0] *
                     static_cast<std::ptrdiff_t>(cuda::bytes_of(stack.type));
    frame.shape.erase(frame.shape.begin());
    frame.strides.erase(frame.strides.begin());
    return frame;
}

// Whether every number is finite; the tensor has no gaps.
bool finite(const DeviceTensor& tensor) {
    if (tensor.size() == 0) return true;
    const std::size_t cols = tensor.shape.back();
    const cuda::Frames all{tensor.data,
                           tensor.type,
                           1,
                           {tensor.size() / cols, cols},
                           0,
                           static_cast<std::ptrdiff_t>(cols),
                           1};
    const py::gil_scoped_release release;
    return cuda::module_for(tensor.device).moments(tensor.device, all, nullptr).finite;
}

// The same numbers without gaps, on the device.
DeviceTensor packed(const DeviceTensor& tensor) {
    if (tensor.contiguous()) return tensor;
    const cuda::Module& module = cuda::module_for(tensor.device);
    const cuda::Frames frames = tensor.frames();
    const std::size_t bytes = tensor.size() * frames.pixel_bytes();
    DeviceTensor result =
        DeviceTensor::empty(tensor.device, {(bytes + sizeof(float) - 1) / sizeof(float)});
    for (std::size_t i = 0; i < frames.count; ++i) {
        char* const to =
            static_cast<char*>(result.data) + i * frames.shape.size() * frames.pixel_bytes();
        module.pack(tensor.device, frames.part(i, 1), to, nullptr);
    }
    result.type = tensor.type;
    result.shape = tensor.shape;
    result.strides = c_strides(tensor.shape);
    return result;
}

py::array to_host(const DeviceTensor& tensor) {
    const DeviceTensor from = packed(tensor);
    py::array array(py::dtype(name_of(from.type).text), from.shape);
    void* const to = array.mutable_data();
    const std::size_t bytes = from.size() * cuda::bytes_of(from.type);
    const py::gil_scoped_release release;
    cuda::module_for(from.device).copy(from.device, to, from.data, bytes, nullptr);
    return array;
}

}  // namespace

DeviceTensor DeviceTensor::empty(int device, const std::vector<std::size_t>& shape) {
    const cuda::Module* const module = &cuda::module_for(device);
    DeviceTensor tensor;
    tensor.device = device;
    tensor.shape = shape;
    tensor.strides = c_strides(shape);
    tensor.data = module->allocate(device, std::max<std::size_t>(tensor.size(), 1) * sizeof(float));
    tensor.owner = std::shared_ptr<void>(
        tensor.data, [module, device](void* held) { module->release(device, held); });
    return tensor;
}

std::size_t DeviceTensor::size() const {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

bool DeviceTensor::contiguous() const { return size() == 0 || strides == c_strides(shape); }

cuda::Frames DeviceTensor::frames() const {
    if (shape.size() != 2 && shape.size() != 3) {
        throw std::invalid_argument("an array on the GPU has " + std::to_string(shape.size()) +
                                    " dimensions; expected 2 (one image) or 3 (a stack)");
    }
    const std::size_t first = shape.size() - 2;
    return {data,
            type,
            first == 0 ? 1 : shape[0],
            {shape[first], shape[first + 1]},
            first == 0 ? 0 : strides[0],
            strides[first],
            strides[first + 1]};
}

DeviceTensor on_device(const py::object& image, int device, void* stream) {
    if (py::isinstance<DeviceTensor>(image)) {
        const auto tensor = image.cast<DeviceTensor>();
        if (tensor.device == device) return tensor;
        throw std::invalid_argument("an array lies on cuda:" + std::to_string(tensor.device) +
                                    " and the work is to be done on cuda:" +
                                    std::to_string(device) + "; copy it there first");
    }
    const auto array = py::array::ensure(image, py::array::c_style);
    if (!array) throw py::error_already_set();
    DeviceTensor tensor;
    tensor.type = cuda::frames_of(any_view(array)).type;
    tensor.device = device;
    tensor.shape.assign(array.shape(), array.shape() + array.ndim());
    tensor.strides = c_strides(tensor.shape);
    const std::size_t bytes = tensor.size() * cuda::bytes_of(tensor.type);
    const DeviceTensor memory =
        DeviceTensor::empty(device, {(bytes + sizeof(float) - 1) / sizeof(float)});
    tensor.owner = memory.owner;
    tensor.data = memory.data;
    const void* const from = array.data();
    const py::gil_scoped_release release;
    cuda::module_for(device).copy(device, tensor.data, from, bytes, stream);
    return tensor;
}

GivenFrames given_frames(const py::object& image, int device) {
    if (py::isinstance<DeviceTensor>(image)) {
        return {image, on_device(image, device, nullptr).frames(), false};
    }
    const auto array = py::array::ensure(image);
    if (!array) throw py::error_already_set();
    if (array.ndim() == 2) return {array, cuda::frames_of(any_view(array)), true};
    if (array.ndim() != 3 || array.shape(0) == 0) {
        throw std::invalid_argument("frames has " + std::to_string(array.ndim()) +
                                    " dimensions; expected 2 (one image) or 3 (a stack of images)");
    }
    require_plain_memory(array);
    cuda::Frames frames = cuda::frames_of(any_view(array[py::int_(0)].cast<py::array>()));
    frames.count = static_cast<std::size_t>(array.shape(0));
    frames.frame_stride = array.strides(0) / array.itemsize();
    return {array, frames, true};
}

void bind_device_tensor(py::module_& m) {
    using namespace py::literals;
    py::class_<DeviceTensor>(m, "DeviceTensor", "An array in memory of a GPU.")
        .def_static("empty", &DeviceTensor::empty, "device"_a, "shape"_a)
        .def_static("from_dlpack", &from_dlpack, "capsule"_a)
        .def_static("from_interface", &from_interface, "array"_a)
        .def_property_readonly("shape",
                               [](const DeviceTensor& t) { return py::tuple(py::cast(t.shape)); })
        .def_property_readonly(
            "dtype", [](const DeviceTensor& t) { return py::dtype(name_of(t.type).text); })
        .def_property_readonly("ndim", [](const DeviceTensor& t) { return t.shape.size(); })
        .def_readonly("device", &DeviceTensor::device, "Number of the GPU.")
        .def_property_readonly(
            "pointer", [](const DeviceTensor& t) { return reinterpret_cast<std::size_t>(t.data); })
        .def_property_readonly("contiguous", &DeviceTensor::contiguous)
        .def_property_readonly("__cuda_array_interface__", &to_interface)
        .def(
            "__dlpack__", [](const DeviceTensor& t, const py::kwargs&) { return to_dlpack(t); },
            "Whatever stream the consumer names: the tensor is finished.")
        .def("__dlpack_device__",
             [](const DeviceTensor& t) {
                 return py::make_tuple(static_cast<int>(dlpack::cuda), t.device);
             })
        .def("frame", &frame_of, "index"_a, "One frame of a stack, in the same memory.")
        .def("finite", &finite)
        .def("to_host", &to_host, "A NumPy array of the same numbers.");
}

}  // namespace stemzoo
