#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drift/look.hpp"
#include "model_file/contract.hpp"
#include "model_file/examine.hpp"
#include "model_file/rules.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using namespace model_file;

// The bytes are immutable, and the caller holds them.
Bytes view(const py::bytes& model) {
    const std::string_view bytes(model);
    return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

// The fields of the Python class.
py::dict as_dict(const Contract& contract) {
    using namespace py::literals;
    return py::dict(
        "name"_a = contract.name, "version"_a = contract.version, "task"_a = contract.task,
        "multiple"_a = contract.multiple, "halo"_a = contract.halo,
        "normalisation"_a = contract.normalisation, "licence"_a = contract.licence,
        "training"_a = contract.training, "summary"_a = contract.summary,
        "limits"_a = contract.limits, "trained_for"_a = contract.trained_for,
        "whole"_a = contract.whole, "window"_a = contract.window, "step"_a = contract.step,
        "surface"_a = contract.surface, "features"_a = contract.features, "look"_a = contract.look,
        "minimum_runtime"_a = contract.minimum_runtime, "denoiser"_a = contract.denoiser);
}

// Where a model was found, in UTF-8: the name of a file need not be that.
std::string as_text(const py::str& where) {
    const auto encoded = py::reinterpret_steal<py::bytes>(
        PyUnicode_AsEncodedString(where.ptr(), "utf-8", "backslashreplace"));
    if (!encoded) throw py::error_already_set();
    return encoded;
}

Properties read_properties(const py::bytes& model, const py::str& where) {
    return properties_of(view(model), as_text(where));
}

py::dict read_contract(const Properties& properties, const py::str& where) {
    return as_dict(contract_of(properties, as_text(where)));
}

py::tuple examine_bytes(const py::bytes& model, const py::str& where) {
    const Bytes bytes = view(model);
    const std::string place = as_text(where);
    Examined found;
    {
        const py::gil_scoped_release release;
        found = examine(bytes, place);
    }
    const py::dict contract = as_dict(found.contract);
    return py::make_tuple(contract, std::move(found));
}

std::vector<std::string> names_of_operators() {
    std::vector<std::string> names;
    for (const auto& each : operators()) names.push_back(each.first);
    return names;
}

// The Python class is imported when the first model is refused.
void translate(std::exception_ptr thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const ModelError& error) {
        const py::object ours = py::module_::import("stemzoo.common.errors").attr("ModelError");
        PyErr_SetString(ours.ptr(), error.what());
    }
}

}  // namespace

void bind_model_file(py::module_& m) {
    using namespace py::literals;
    py::register_local_exception_translator(translate);
    m.attr("MAX_MODEL") = kMaxModel;
    m.attr("LOOK") = drift::look_version;
    m.def("properties_of", read_properties, "model"_a, "where"_a,
          "metadata_props of a serialised model found at `where`.");
    m.def("contract_of", read_contract, "properties"_a, "where"_a,
          "The fields of the contract in the properties of a model; csrc/model_file/contract.hpp.");
    m.def("operators", names_of_operators, "The operators that a model may use.");
    py::class_<Examined>(m, "ExaminedGraph")
        .def("require_room", &require_room, "shape"_a, py::call_guard<py::gil_scoped_release>(),
             "Refuses an input for which the network would hold or compute too much.");
    m.def("examine", examine_bytes, "model"_a, "where"_a,
          "(the fields of the contract, the graph) of a model that may run; "
          "csrc/model_file/examine.hpp.");
}

}  // namespace stemzoo
