#include "model_file/sizes.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "model_file/rules.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file {
namespace {

// What all tensors that are alive at once may take, and what may be computed: a part for constants
// and small inputs, and a part for each pixel. 4 KiB are 1024 float32 channels at full resolution.
constexpr double most_bytes = 64 << 20, bytes_a_pixel = 4 << 10;
constexpr double most_steps = 1e9, steps_a_pixel = 2e7;  // multiplications, near enough
constexpr double mebibyte = 1 << 20;

std::string names_of_operators() {
    std::string list;
    for (const auto& each : operators()) list += words(list.empty() ? "" : ", ", each.first);
    return list;
}

std::vector<Array> arrays_of(const Node& node, Call& call) {
    const auto rule = operators().find(node.op);
    if (rule == operators().end()) {
        refuse(node.label,
               " is none of the operators that a model may use: ", names_of_operators());
    }
    std::vector<Array> made = rule->second(call);
    if (node.outputs.empty() || node.outputs.size() > made.size()) {
        refuse(node.label, " has ", node.outputs.size(), " outputs; expected ", made.size());
    }
    return made;
}

class Follower {
  public:
    Follower(const Graph& graph, const Sides& input)
        : graph_(graph),
          input_(input),
          known_(graph.names.size()),
          uses_(graph.names.size()),
          is_constant_(graph.names.size()) {
        for (const auto& each : graph.constants) is_constant_[each.first] = true;
        is_constant_[kBlank] = true;
        for (const auto* list : {&graph.inputs, &graph.values, &graph.outputs}) {
            for (const Declared& each : *list) declared_[each.name] = &each;
        }
        for (const Node& node : graph.nodes) {
            for (const Name name : node.inputs) ++uses_[name];
        }
        for (const Declared& output : graph.outputs) ++uses_[output.name];
        known_[graph.inputs.at(0).name] = {input, Kind::float32};
        alive_ = elements(input) * 4;
    }

    std::vector<Sides> shapes() {
        for (const Node& node : graph_.nodes) take(node);
        std::vector<Sides> found;
        for (const Declared& output : graph_.outputs) found.push_back(array(output.name).shape);
        return found;
    }

  private:
    const Array& array(Name name) const {
        const auto constant = graph_.constants.find(name);
        return constant != graph_.constants.end() ? constant->second : known_[name];
    }

    void take(const Node& node) {
        std::vector<const Array*> inputs;
        for (const Name name : node.inputs) {
            inputs.push_back(name == kBlank ? nullptr : &array(name));
        }
        Call call(node, graph_.opset, std::move(inputs));
        std::vector<Array> made = arrays_of(node, call);
        for (const Array& each : made) {
            alive_ += each.bytes();
            steps_ += elements(each.shape);
        }
        alive_ += call.scratch_bytes;
        steps_ += call.steps;
        require_room(node);
        alive_ -= call.scratch_bytes;
        const bool is_constant = std::all_of(node.inputs.begin(), node.inputs.end(),
                                             [&](Name name) { return is_constant_[name]; });
        for (std::size_t at = 0; at < node.outputs.size(); ++at) {
            const Name name = node.outputs[at];
            require_as_declared(node, name, made[at]);
            if (uses_[name] == 0) alive_ -= made[at].bytes();
            known_[name] = std::move(made[at]);
            is_constant_[name] = is_constant || name == kBlank;
        }
        for (const Name name : node.inputs) release(name);
    }

    // ONNX Runtime computes what depends on no input when it loads a model, and keeps all of that.
    void release(Name name) {
        if (--uses_[name] > 0 || is_constant_[name]) return;
        alive_ -= known_[name].bytes();
    }

    void require_room(const Node& node) const {
        const double pixels = elements(input_), most_alive = most_bytes + bytes_a_pixel * pixels;
        if (alive_ > most_alive) {
            refuse(node.label, " makes it hold ", whole(alive_ / mebibyte),
                   " MiB at once for an input of ", shown(input_), "; expected at most ",
                   whole(most_alive / mebibyte));
        }
        const double most = most_steps + steps_a_pixel * pixels;
        if (steps_ > most) {
            refuse("up to ", node.label, " it computes ", brief(steps_),
                   " products for an input of ", shown(input_), "; expected at most ", brief(most));
        }
    }

    void require_as_declared(const Node& node, Name name, const Array& made) const {
        const auto found = declared_.find(name);
        if (found == declared_.end()) return;
        const Declared& declared = *found->second;
        const auto fits = [](const std::optional<std::int64_t>& said, std::int64_t side) {
            return !said || *said == side;
        };
        const bool are_sides =
            !declared.sides || std::equal(declared.sides->begin(), declared.sides->end(),
                                          made.shape.begin(), made.shape.end(), fits);
        if (declared.kind == made.kind && are_sides) return;
        refuse(node.label, " makes '", cut(graph_.names[name], 80), "' of type ",
               static_cast<int>(made.kind), " and shape ", shown(made.shape),
               "; the file declares type ", static_cast<int>(declared.kind), " and ",
               shown(declared));
    }

    const Graph& graph_;
    const Sides& input_;
    std::vector<Array> known_;
    std::vector<std::size_t> uses_;  // that are still to come
    std::vector<bool> is_constant_;  // whether it depends on no input
    std::unordered_map<Name, const Declared*> declared_;
    double alive_ = 0, steps_ = 0;
};

}  // namespace

const Rules& operators() {
    static const Rules all = [] {
        Rules rules;
        add_arithmetic(rules);
        add_layers(rules);
        add_rearranging(rules);
        add_shaping(rules);
        return rules;
    }();
    return all;
}

std::vector<Sides> follow(const Graph& graph, const Sides& input) {
    const auto is_side = [](std::int64_t side) { return 0 < side && side < kMaxSide; };
    if (input.size() > kMaxRank || !std::all_of(input.begin(), input.end(), is_side)) {
        refuse("an input of ", shown(input), " is no image");
    }
    return Follower(graph, input).shapes();
}

}  // namespace stemzoo::model_file
