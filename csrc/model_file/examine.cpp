#include "model_file/examine.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "model_file/graph.hpp"
#include "model_file/interface.hpp"
#include "model_file/onnx_reader.hpp"
#include "model_file/sizes.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file {
namespace {

// Opset 13 is the first whose operators take what decides a shape as they do today, and IR 7 came
// with it; IR 10 and opset 21 are what the oldest ONNX Runtime that stemzoo runs on can read.
struct Versions {
    std::int64_t least, most;
};
constexpr Versions ir_versions{7, 10}, opsets{13, 21};
constexpr std::size_t most_properties = 256;

void require_within(std::int64_t given, Versions bounds, std::string_view what) {
    if (given >= bounds.least && given <= bounds.most) return;
    refuse("its ", what, " is ", given, "; this stemzoo runs ", bounds.least, " to ", bounds.most);
}

onnx::Model read(Bytes model) {
    if (model.size > kMaxModel) {
        refuse("it has ", model.size, " bytes; expected at most ", kMaxModel);
    }
    // ONNX Runtime takes such bytes for a format of its own, whatever else they spell.
    if (model.size >= 8 && std::memcmp(model.data + 4, "ORTM", 4) == 0) {
        refuse("it is marked as ONNX Runtime's own format; expected plain ONNX");
    }
    return onnx::read(model);
}

std::int64_t opset_of(const std::vector<onnx::OpSet>& given) {
    const std::string_view domain = given.empty() ? "" : given[0].domain.value_or("");
    if (given.size() == 1 && (domain == "" || domain == "ai.onnx")) {
        const std::int64_t version = given[0].version.value_or(0);
        require_within(version, opsets, "opset");
        return version;
    }
    std::string named;
    for (std::size_t at = 0; at < std::min<std::size_t>(given.size(), 8); ++at) {
        named += words(at == 0 ? "" : ", ", "'", cut(given[at].domain.value_or(""), 40), "' ",
                       given[at].version.value_or(0));
    }
    refuse("it uses the operator sets ", named.empty() ? "none" : named,
           "; expected ONNX's own alone");
}

Graph graph_in(const onnx::Model& model) {
    require_within(model.ir_version.value_or(0), ir_versions, "IR version");
    const std::int64_t opset = opset_of(model.opsets);
    if (model.properties.size() > most_properties) {
        refuse("it has ", model.properties.size(), " metadata entries; too many");
    }
    if (!model.graph) refuse("it has no graph, so there is nothing to run");
    return graph_of(*model.graph, opset);
}

// A network is tried on images of kLarge px; nothing may be wider than these.
void require_lengths(const Contract& contract) {
    const std::pair<std::string_view, std::size_t> lengths[] = {
        {"multiple", contract.multiple}, {"halo", contract.halo},
        {"window", contract.window},     {"step", contract.step},
        {"surface", contract.surface},   {"features", contract.features}};
    for (const auto& [key, value] : lengths) {
        if (value <= static_cast<std::size_t>(kLarge)) continue;
        refuse("its contract has ", key, " ", value, "; expected at most ", kLarge);
    }
}

// "['drift', 'sigma']".
std::string quoted(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += words(list.empty() ? "'" : ", '", name, "'");
    return words("[", cut(list, 200), "]");
}

std::vector<std::string> names_of(const Graph& graph, const std::vector<Declared>& declared) {
    std::vector<std::string> names;
    for (const Declared& each : declared) names.push_back(graph.names[each.name]);
    return names;
}

void require_input_sides(const Declared& input, const Interface& interface) {
    const auto is_free_or = [](const std::optional<std::int64_t>& said, std::int64_t side) {
        return !said || *said == side;
    };
    const auto& sides = input.sides;
    const bool fits = sides && sides->size() == 4 && !(*sides)[0] &&
                      is_free_or((*sides)[1], interface.channels) &&
                      is_free_or((*sides)[2], interface.side) &&
                      is_free_or((*sides)[3], interface.side);
    if (fits) return;
    const bool is_free = interface.side == 0;
    const std::string side = std::to_string(interface.side);
    refuse("its input has the sides ", shown(input), "; expected ['batch', ", interface.channels,
           ", ", is_free ? "height" : side, ", ", is_free ? "width" : side, "]");
}

// One input and the outputs of the contract, with its types and sides.
void require_face(const Graph& graph, const Contract& contract, const Interface& interface) {
    const std::vector<std::string> given = names_of(graph, graph.inputs);
    const std::vector<std::string> made = names_of(graph, graph.outputs);
    if (given != std::vector{interface.input} || made != interface.outputs) {
        refuse("it has inputs ", quoted(given), " and outputs ", quoted(made), "; a model for ",
               contract.task, " has ", quoted({interface.input}), " and ",
               quoted(interface.outputs));
    }
    for (const auto* list : {&graph.inputs, &graph.outputs}) {
        for (const Declared& each : *list) {
            if (each.kind == Kind::float32) continue;
            refuse("'", graph.names[each.name], "' is of element type ",
                   static_cast<int>(each.kind), "; expected float32");
        }
    }
    require_input_sides(graph.inputs[0], interface);
}

void require_answer(const Graph& graph, const Interface& interface, const Sides& shape) {
    const Sides promised = interface.answer(shape);
    const std::vector<Sides> made = follow(graph, shape);
    for (std::size_t at = 0; at < made.size(); ++at) {
        if (made[at] == promised) continue;
        refuse("for an input of shape ", shown(shape), " its output '", interface.outputs[at],
               "' has shape ", shown(made[at]), "; the model contract asks for ", shown(promised));
    }
}

}  // namespace

Examined examine(Bytes model, const std::string& where) {
    Examined found;
    const auto at_place = [&where](const auto& work) {
        try {
            return work();
        } catch (const ModelError& error) {
            refuse(where, ": ", error.what());
        }
    };
    onnx::Model message = at_place([&] { return read(model); });
    found.properties = at_place([&] { return onnx::mapping(message.properties); });
    found.contract = contract_of(found.properties, where);
    at_place([&] {
        auto graph = std::make_shared<Graph>(graph_in(message));
        require_lengths(found.contract);
        const Interface interface = interface_of(found.contract);
        require_face(*graph, found.contract, interface);
        for (const Sides& shape : interface.trials) require_answer(*graph, interface, shape);
        found.graph = std::move(graph);
    });
    return found;
}

void require_room(const Examined& model, const std::vector<std::int64_t>& shape) {
    follow(*model.graph, shape);
}

}  // namespace stemzoo::model_file
