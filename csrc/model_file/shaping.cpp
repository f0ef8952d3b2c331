// The operators that make, read or change shapes.
#include <algorithm>

#include "model_file/fold.hpp"
#include "model_file/rules.hpp"

namespace stemzoo::model_file {
namespace {

// An attribute of Constant as what it makes.
Array array_of(const Attribute& attribute) {
    if (const auto* array = std::get_if<Array>(&attribute)) return *array;
    if (const auto* real = std::get_if<double>(&attribute)) {
        return {{}, Kind::float32, Reals{*real}};
    }
    if (const auto* integer = std::get_if<std::int64_t>(&attribute)) {
        return {{}, Kind::int64, Integers{*integer}};
    }
    Array list;
    std::size_t count = 0;
    if (const auto* reals = std::get_if<std::vector<float>>(&attribute)) {
        list.values = Reals(reals->begin(), reals->end());
        count = reals->size();
    } else {
        const auto& integers = std::get<Integers>(attribute);
        list.kind = Kind::int64;
        list.values = integers;
        count = integers.size();
    }
    list.shape = {static_cast<std::int64_t>(count)};
    if (count > kMaxKnown) list.values.reset();
    return list;
}

std::vector<Array> constant_of(Call& call) {
    call.takes(0, 0);
    const auto& attributes = call.node.attributes;
    call.require(attributes.size() <= 1, "it holds more than one value");
    call.require(!attributes.empty(), "it holds 'nothing'");
    const auto& [name, value] = *attributes.begin();
    const bool fits =
        (name == "value" && std::holds_alternative<Array>(value)) ||
        (name == "value_float" && std::holds_alternative<double>(value)) ||
        (name == "value_int" && std::holds_alternative<std::int64_t>(value)) ||
        (name == "value_floats" && std::holds_alternative<std::vector<float>>(value)) ||
        (name == "value_ints" && std::holds_alternative<Integers>(value));
    call.require(fits, "it holds '", cut(name, 40), "'");
    return {array_of(value)};
}

std::vector<Array> shape_of(Call& call) {
    call.takes(1, 1);
    const Sides& shape = call.input(0).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    const auto place = [rank](std::int64_t number) {
        return std::clamp<std::int64_t>(number < 0 ? number + rank : number, 0, rank);
    };
    const std::int64_t start = place(call.integer("start", 0));
    const std::int64_t end = std::max(start, place(call.integer("end", rank)));
    Integers sides(shape.begin() + start, shape.begin() + end);
    return {call.made({end - start}, Kind::int64, std::move(sides))};
}

std::vector<Array> reshape(Call& call) {
    call.takes(2, 2);
    const Array& given = call.input(0);
    const Integers asked = call.numbers(1);
    const bool asks_for_zero = std::count(asked.begin(), asked.end(), 0) > 0;
    call.require(call.integer("allowzero", 0, 0, 1) == 0 || !asks_for_zero,
                 "it asks for a side of 0");
    Sides sides = asked;
    for (std::size_t at = 0; at < sides.size(); ++at) {
        const bool is_copied = sides[at] == 0 && at < given.shape.size();
        if (is_copied) sides[at] = given.shape[at];
    }
    const auto is_wrong = [](std::int64_t side) { return side < -1 || side >= kMaxSide; };
    const bool fits =
        sides.size() <= kMaxRank && std::none_of(sides.begin(), sides.end(), is_wrong);
    call.require(fits, "it asks for the shape ", listed(asked));
    const auto open = std::find(sides.begin(), sides.end(), -1);
    if (open != sides.end()) {
        call.require(std::count(sides.begin(), sides.end(), -1) == 1, "it leaves two sides open");
        *open = 1;
        const double rest = elements(sides);
        call.require(rest > 0, "it asks for a side of 0");
        const double side = std::min(elements(given.shape) / rest, static_cast<double>(kMaxSide));
        *open = static_cast<std::int64_t>(side);
    }
    call.require(elements(sides) == elements(given.shape), "it asks for the shape ", listed(asked));
    return {call.made(std::move(sides), given.kind, given.values)};
}

std::vector<Array> flatten(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    const auto rank = static_cast<std::int64_t>(given.shape.size());
    const std::int64_t number = call.integer("axis", 1, -rank, rank);
    const auto axis = static_cast<std::size_t>(number < 0 ? number + rank : number);
    const double rows = elements(given.shape, 0, axis), columns = elements(given.shape, axis);
    const auto most = static_cast<double>(kMaxSide);
    call.require(rows < most && columns < most, "it makes an array of shape (", whole(rows), ", ",
                 whole(columns), ")");
    const Sides sides{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
    return {call.made(sides, given.kind)};
}

std::vector<Array> squeeze(Call& call) {
    call.takes(1, 2);
    const Array& given = call.input(0);
    const std::size_t rank = given.shape.size();
    std::vector<bool> goes(rank);
    if (call.optional(1) != nullptr) {
        goes = call.named_axes(call.numbers(1), rank);
    } else {
        std::transform(given.shape.begin(), given.shape.end(), goes.begin(),
                       [](std::int64_t side) { return side == 1; });
    }
    Sides sides;
    for (std::size_t at = 0; at < rank; ++at) {
        call.require(!goes[at] || given.shape[at] == 1, "it squeezes a side that is not 1");
        if (!goes[at]) sides.push_back(given.shape[at]);
    }
    return {call.made(std::move(sides), given.kind, given.values)};
}

std::vector<Array> unsqueeze(Call& call) {
    call.takes(1, 2);
    const Array& given = call.input(0);
    const Integers numbers = call.numbers(1);
    const std::vector<bool> is_new = call.named_axes(numbers, given.shape.size() + numbers.size());
    Sides sides;
    auto old = given.shape.begin();
    for (const bool one : is_new) sides.push_back(one ? 1 : *old++);
    return {call.made(std::move(sides), given.kind, given.values)};
}

}  // namespace

void add_shaping(Rules& rules) {
    rules["Constant"] = constant_of;
    rules["Shape"] = shape_of;
    rules["Reshape"] = reshape;
    rules["Flatten"] = flatten;
    rules["Squeeze"] = squeeze;
    rules["Unsqueeze"] = unsqueeze;
}

}  // namespace stemzoo::model_file
