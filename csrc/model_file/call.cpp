#include "model_file/call.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace stemzoo::model_file {
namespace {

// Operators with inputs after one that may be left out.
constexpr std::array<std::string_view, 4> may_be_blank = {"Clip", "Pad", "Resize", "Slice"};
constexpr std::size_t longest = 400;  // characters of an error

}  // namespace

Call::Call(const Node& called, std::int64_t version, std::vector<const Array*> given)
    : node(called), opset(version), inputs(std::move(given)) {}

void Call::fail(const std::string& what) const {
    std::string shapes;
    for (const Array* each : inputs) {
        if (each != nullptr) shapes += words(shapes.empty() ? "" : ", ", shown(each->shape));
    }
    refuse(cut(words(node.label, ": ", what, " (inputs of shape ", shapes, ")"), longest));
}

void Call::takes(std::size_t least, std::size_t most) const {
    const std::size_t count = inputs.size();
    require(least <= count && count <= most, "it has ", count, " inputs; expected ", least, " to ",
            most);
    // An input left out by an empty name, not by its absence, crashes some kernels.
    const bool is_blank = std::find(inputs.begin(), inputs.end(), nullptr) != inputs.end();
    const bool may_be =
        std::find(may_be_blank.begin(), may_be_blank.end(), node.op) != may_be_blank.end();
    require(!is_blank || may_be, "it leaves an input out by an empty name");
}

const Array& Call::input(std::size_t index) const {
    const Array* found = optional(index);
    require(found != nullptr, "it lacks input ", index);
    return *found;
}

const Array* Call::optional(std::size_t index) const {
    return index < inputs.size() ? inputs[index] : nullptr;
}

Integers Call::numbers(std::size_t index) const {
    const Array& given = input(index);
    if (!given.values || !is_integer(given.kind) || given.shape.size() > 1) {
        refuse(node.label, ": input ", index,
               " decides a shape; expected a short list of integers that is constant, or computed "
               "from the shape of the image");
    }
    return std::get<Integers>(*given.values);
}

bool Call::has(std::string_view attribute) const {
    return node.attributes.count(std::string(attribute)) > 0;
}

template <typename Value>
const Value* Call::get(std::string_view name, std::string_view kind) const {
    const auto found = node.attributes.find(std::string(name));
    if (found == node.attributes.end()) return nullptr;
    const Value* value = std::get_if<Value>(&found->second);
    if (value == nullptr) refuse(node.label, ": '", name, "' is of another type than ", kind);
    return value;
}

std::int64_t Call::integer(std::string_view name, std::int64_t otherwise) const {
    const auto* given = get<std::int64_t>(name, "a whole number");
    return given != nullptr ? *given : otherwise;
}

std::int64_t Call::integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                           std::int64_t most) const {
    const std::int64_t value = integer(name, otherwise);
    require(least <= value && value <= most, "'", name, "' is ", value, "; expected ", least,
            " to ", most);
    return value;
}

Integers Call::integers(std::string_view name) const {
    const auto* given = get<Integers>(name, "whole numbers");
    return given != nullptr ? *given : Integers{};
}

Integers Call::integers(std::string_view name, const Integers& otherwise, std::int64_t least,
                        std::int64_t most) const {
    const auto* given = get<Integers>(name, "whole numbers");
    const Integers& value = given != nullptr ? *given : otherwise;
    const auto is_within = [&](std::int64_t number) { return least <= number && number <= most; };
    const bool fits =
        value.size() == otherwise.size() && std::all_of(value.begin(), value.end(), is_within);
    require(fits, "'", name, "' is ", listed(value), "; expected ", otherwise.size(), " of ", least,
            "..", most);
    return value;
}

std::string Call::text(std::string_view name, std::string_view otherwise,
                       std::initializer_list<std::string_view> allowed) const {
    const auto* given = get<std::string>(name, "text");
    const std::string value(given != nullptr ? *given : otherwise);
    std::string choices;
    for (const std::string_view each : allowed) {
        if (value == each) return value;
        choices += words(choices.empty() ? "" : " or ", each);
    }
    fail(words("'", name, "' is '", cut(value, 40), "'; expected ", choices));
}

std::size_t Call::axis(std::int64_t number, std::size_t rank) const {
    const auto count = static_cast<std::int64_t>(rank);
    require(-count <= number && number < count, "it has no axis ", number);
    return static_cast<std::size_t>(number < 0 ? number + count : number);
}

std::vector<std::size_t> Call::axes(const Integers& numbers, std::size_t rank) const {
    std::vector<std::size_t> found;
    std::vector<bool> is_named(rank);
    for (const std::int64_t number : numbers) {
        found.push_back(axis(number, rank));
        require(!is_named[found.back()], "it names an axis twice: ", listed(numbers));
        is_named[found.back()] = true;
    }
    return found;
}

std::vector<bool> Call::named_axes(const Integers& numbers, std::size_t rank) const {
    std::vector<bool> is_named(rank);
    for (const std::size_t axis : axes(numbers, rank)) is_named[axis] = true;
    return is_named;
}

Sides Call::broadcast(const std::vector<Sides>& shapes) const {
    std::size_t rank = 0;
    for (const Sides& shape : shapes) rank = std::max(rank, shape.size());
    Sides common(rank, 1);
    for (const Sides& shape : shapes) {
        for (std::size_t at = 0; at < shape.size(); ++at) {
            std::int64_t& side = common[rank - shape.size() + at];
            require(side == 1 || shape[at] == 1 || side == shape[at],
                    "the shapes of its inputs do not fit");
            if (shape[at] != 1) side = shape[at];
        }
    }
    return common;
}

Array Call::made(Sides shape, Kind kind, std::optional<Values> values) const {
    // A list of sizes may be empty, a tensor of pixels may not.
    const std::int64_t least = values ? 0 : 1;
    const auto fits = [&](std::int64_t side) { return least <= side && side < kMaxSide; };
    require(shape.size() <= kMaxRank && std::all_of(shape.begin(), shape.end(), fits),
            "it makes an array of shape ", shown(shape));
    return {std::move(shape), kind, std::move(values)};
}

}  // namespace stemzoo::model_file
