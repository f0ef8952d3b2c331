#include "model_file/graph.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "model_file/constant.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file {
namespace {

void require_at_most(std::size_t count, std::size_t most, std::string_view what) {
    if (count > most) refuse("there are ", count, " ", what, "; expected at most ", most);
}

std::string checked_name(const std::optional<onnx::Text>& given, std::string_view what) {
    const std::string_view name = given.value_or("");
    const std::size_t size = characters(name);
    if (size == 0 || size > kMaxName) {
        refuse(what, " has a name of ", size, " characters; expected 1 to ", kMaxName);
    }
    return std::string(name);
}

// Gives every name its place.
class Names {
  public:
    explicit Names(std::vector<std::string>& names) : names_(names) { place(""); }

    Name place(std::string_view name) {
        const auto [found, is_new] = places_.try_emplace(std::string(name), names_.size());
        if (is_new) names_.push_back(found->first);
        return found->second;
    }

    std::vector<Name> places(const std::vector<onnx::Text>& names) {
        std::vector<Name> found;
        for (const std::string_view name : names) found.push_back(place(name));
        return found;
    }

  private:
    std::vector<std::string>& names_;
    std::map<std::string, Name> places_;
};

// The fields that an attribute may hold its value in, by AttributeProto.AttributeType.
struct Holder {
    onnx::Integer type;
    std::string_view name;
    bool is_held;
    bool may_be_empty;
};

std::array<Holder, 6> holders(const onnx::Attribute& given) {
    return {{{1, "float", given.real.has_value(), false},
             {2, "int", given.integer.has_value(), false},
             {3, "text", given.text.has_value(), false},
             {4, "tensor", given.tensor != nullptr, false},
             {6, "floats", !given.reals.empty(), true},
             {7, "ints", !given.integers.empty(), true}}};
}

void require_one_value(const onnx::Attribute& given, std::string_view name,
                       const std::string& label) {
    const onnx::Integer type = given.type.value_or(0);
    std::string held;
    bool fits = false;
    for (const Holder& each : holders(given)) {
        if (each.is_held) held += words(held.empty() ? "" : ", ", each.name);
        if (each.type == type) fits = each.is_held || each.may_be_empty;
    }
    for (const Holder& each : holders(given)) fits = fits && (each.type == type || !each.is_held);
    if (fits) return;
    refuse("the attribute '", cut(name, 40), "' of ", label, " says it is of type ", type,
           " and holds ", held.empty() ? "nothing" : held);
}

Attribute value_of(const onnx::Attribute& given) {
    switch (given.type.value_or(0)) {
        case 1:
            return static_cast<double>(*given.real);
        case 2:
            return *given.integer;
        case 3:
            return std::string(*given.text);
        case 4:
            return constant(*given.tensor);
        case 6:
            return given.reals;
        default:
            return given.integers;
    }
}

std::map<std::string, Attribute> attributes_of(const onnx::Node& given, const std::string& label) {
    std::map<std::string, Attribute> found;
    for (const onnx::Attribute& each : given.attributes) {
        const std::string name = checked_name(each.name, words("an attribute of ", label));
        require_one_value(each, name, label);
        require_at_most(std::max(each.reals.size(), each.integers.size()), kMaxList,
                        words("numbers in '", cut(name, 40), "' of ", label));
        found.insert_or_assign(name, value_of(each));
    }
    if (found.size() != given.attributes.size()) refuse(label, " gives an attribute twice");
    return found;
}

Node node_of(const onnx::Node& given, std::size_t number, Names& names) {
    const std::string_view op = given.op.value_or(""), domain = given.domain.value_or("");
    const std::string label = words("node ", number, " (", cut(op, 40), ")");
    if (domain != "" && domain != "ai.onnx") {
        refuse(label, " is of the domain '", cut(domain, 40), "'; expected ONNX's own operators");
    }
    if (!given.overload.value_or("").empty()) {
        refuse(label, " names an overload of a function; functions are not run");
    }
    require_at_most(given.inputs.size(), kMaxList, words("inputs of ", label));
    require_at_most(given.outputs.size(), kMaxList, words("outputs of ", label));
    auto attributes = attributes_of(given, label);
    return {label, std::string(op), names.places(given.inputs), names.places(given.outputs),
            std::move(attributes)};
}

std::vector<std::optional<std::int64_t>> sides_of(const onnx::Shape& shape, std::string_view name) {
    std::vector<std::optional<std::int64_t>> sides;
    for (const onnx::Dim& dim : shape.dims) {
        if (dim.value && dim.name) {
            refuse("a side of '", cut(name, 80), "' is both a number and a name");
        }
        if (dim.value && (*dim.value <= 0 || *dim.value >= kMaxSide)) {
            refuse("'", cut(name, 80), "' has a side of ", *dim.value, "; expected 1 to ",
                   kMaxSide - 1);
        }
        sides.push_back(dim.value);
    }
    require_at_most(sides.size(), kMaxRank, words("sides of '", cut(name, 80), "'"));
    return sides;
}

std::vector<Declared> declared(const std::vector<onnx::Value>& given, Names& names) {
    std::vector<Declared> found;
    for (const onnx::Value& each : given) {
        const std::string name = checked_name(each.name, "an input, output or value");
        const bool is_tensor = each.type && each.type->tensor;
        const onnx::Integer number = is_tensor ? each.type->tensor->kind.value_or(0) : 0;
        const std::optional<Kind> kind = kind_of(number);
        if (!kind) {
            refuse("'", cut(name, 80), "' is ",
                   is_tensor ? words("of element type ", number) : "no tensor",
                   "; expected one of the types (1, 6, 7, 9, 10, 11)");
        }
        found.push_back({names.place(name), *kind, std::nullopt});
        const auto& shape = each.type->tensor->shape;
        if (shape) found.back().sides = sides_of(*shape, name);
    }
    return found;
}

// Every name is made once, and before it is used.
class Wiring {
  public:
    explicit Wiring(const Graph& graph) : graph_(graph), is_made_(graph.names.size()) {}

    void require() {
        for (const auto& each : graph_.constants) is_made_[each.first] = true;
        for (const Declared& input : graph_.inputs) make(input.name, "its input");
        for (const Node& node : graph_.nodes) {
            for (const Name name : node.inputs) require_made(name, node.label);
            for (const Name name : node.outputs) make(name, node.label);
        }
        for (const auto* list : {&graph_.outputs, &graph_.values}) {
            for (const Declared& each : *list) require_made(each.name);
        }
    }

  private:
    std::string_view shortened(Name name) const { return cut(graph_.names[name], 80); }

    void make(Name name, std::string_view maker) {
        if (name == kBlank) return;  // an output that is not asked for
        if (is_made_[name]) refuse(maker, " makes '", shortened(name), "', which is there already");
        is_made_[name] = true;
    }

    void require_made(Name name, std::string_view reader) const {
        if (name == kBlank || is_made_[name]) return;
        refuse(reader, " reads '", shortened(name),
               "', which nothing before it makes; expected nodes in the order they run");
    }

    void require_made(Name name) const {
        if (is_made_[name]) return;
        refuse("nothing makes '", shortened(name), "', which the graph declares");
    }

    const Graph& graph_;
    std::vector<bool> is_made_;
};

}  // namespace

std::string shown(const Declared& declared) {
    if (!declared.sides) return "none";
    std::string list;
    for (const auto& side : *declared.sides) {
        list += words(list.empty() ? "" : ", ", side ? std::to_string(*side) : "free");
    }
    return "(" + list + ")";
}

Graph graph_of(const onnx::Graph& given, std::int64_t opset) {
    require_at_most(given.nodes.size(), kMaxNodes, "nodes in its graph");
    require_at_most(given.constants.size(), kMaxConstants, "constants in its graph");
    Graph graph;
    graph.opset = opset;
    Names names(graph.names);
    graph.inputs = declared(given.inputs, names);
    graph.outputs = declared(given.outputs, names);
    graph.values = declared(given.values, names);
    for (const onnx::Node& node : given.nodes) {
        graph.nodes.push_back(node_of(node, graph.nodes.size(), names));
    }
    for (const onnx::Tensor& each : given.constants) {
        const Name name = names.place(checked_name(each.name, "a constant"));
        graph.constants.insert_or_assign(name, constant(each));
    }
    if (graph.constants.size() != given.constants.size()) {
        refuse("two of its constants have one name");
    }
    Wiring(graph).require();
    return graph;
}

}  // namespace stemzoo::model_file
