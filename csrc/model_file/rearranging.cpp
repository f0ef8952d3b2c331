// The operators that move, repeat or leave out elements.
#include <algorithm>
#include <numeric>

#include "model_file/fold.hpp"
#include "model_file/rules.hpp"

namespace stemzoo::model_file {
namespace {

using Index = std::size_t;

std::vector<Array> transpose(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    const auto rank = static_cast<std::int64_t>(given.shape.size());
    Integers axes(given.shape.size());
    std::iota(axes.begin(), axes.end(), 0);
    const Integers order = call.integers("perm", Integers(axes.rbegin(), axes.rend()), 0,
                                         std::max<std::int64_t>(rank - 1, 0));
    call.require(std::is_permutation(order.begin(), order.end(), axes.begin()),
                 "it has no order of axes ", listed(order));
    Sides sides;
    for (const std::int64_t axis : order) sides.push_back(given.shape[static_cast<Index>(axis)]);
    return {call.made(std::move(sides), given.kind)};
}

// The parts as one along an axis, where all of them are known.
std::optional<Values> concatenated(const Call& call, Index axis, const Sides& shape) {
    const Array& first = call.input(0);
    for (const Array* part : call.inputs) {
        if (!part->values || part->kind != first.kind) return std::nullopt;
    }
    if (!is_handful(shape)) return std::nullopt;
    Values joined = is_floating(first.kind) ? Values(Reals{}) : Values(Integers{});
    const auto rounds = static_cast<Index>(elements(shape, 0, axis));
    for (Index round = 0; round < rounds; ++round) {
        for (const Array* part : call.inputs) {
            const auto length = static_cast<Index>(elements(part->shape, axis));
            append(joined, *part->values, round * length, (round + 1) * length);
        }
    }
    return joined;
}

std::vector<Array> concat(Call& call) {
    call.takes(1, 256);
    Sides sides = call.input(0).shape;
    const Index axis =
        call.axis(call.integer("axis", static_cast<std::int64_t>(sides.size())), sides.size());
    for (Index index = 1; index < call.inputs.size(); ++index) {
        const Sides& each = call.input(index).shape;
        call.require(each.size() == sides.size(), "its parts do not fit");
        for (Index at = 0; at < sides.size(); ++at) {
            call.require(at == axis || each[at] == sides[at], "its parts do not fit");
        }
        sides[axis] += each[axis];
    }
    std::optional<Values> values = concatenated(call, axis, sides);
    return {call.made(std::move(sides), call.input(0).kind, std::move(values))};
}

// How long the parts of a split are that does not say it.
Integers even_parts(const Call& call, std::int64_t side, std::int64_t count) {
    const std::int64_t part = (side + count - 1) / count;
    // Before opset 18 the parts must be equal; since then the last may be smaller.
    call.require(call.opset >= 18 || side % count == 0, "it cannot be split into equal parts");
    Integers parts(static_cast<Index>(count), part);
    parts.back() = side - part * (count - 1);
    return parts;
}

std::vector<Array> split(Call& call) {
    call.takes(1, 2);
    const Array& given = call.input(0);
    const auto count = static_cast<std::int64_t>(call.node.outputs.size());
    const Index axis = call.axis(call.integer("axis", 0), given.shape.size());
    const std::int64_t side = given.shape[axis];
    call.require(call.integer("num_outputs", count, 1, kMost) == count,
                 "num_outputs is not how many it has");
    const bool is_said = call.optional(1) != nullptr;
    const Integers parts = is_said ? call.numbers(1) : even_parts(call, side, count);
    std::int64_t left = side;
    for (const std::int64_t part : parts) left = part > 0 && left >= part ? left - part : -1;
    call.require(static_cast<std::int64_t>(parts.size()) == count && left == 0, "parts of ",
                 listed(parts), " do not make up a side of ", side);
    std::vector<Array> made;
    for (const std::int64_t part : parts) {
        Sides sides = given.shape;
        sides[axis] = part;
        made.push_back(call.made(std::move(sides), given.kind));
    }
    return made;
}

// Which of a side's elements a slice takes: `count`, from `first` on, `step` apart.
struct Taken {
    std::int64_t first, step, count;

    Taken(std::int64_t side, std::int64_t start, std::int64_t end, std::int64_t by) : step(by) {
        const std::int64_t low = step < 0 ? -1 : 0, high = step < 0 ? side - 1 : side;
        const auto place = [&](std::int64_t number) {
            return std::clamp(number < 0 ? number + side : number, low, high);
        };
        first = place(start);
        const std::int64_t length = step < 0 ? first - place(end) : place(end) - first;
        count = length > 0 ? (length - 1) / std::abs(step) + 1 : 0;
    }
};

std::vector<Array> slice(Call& call) {
    call.takes(3, 5);
    const Array& given = call.input(0);
    const Integers starts = call.numbers(1), ends = call.numbers(2);
    Integers numbers(starts.size()), steps(starts.size(), 1);
    std::iota(numbers.begin(), numbers.end(), 0);
    if (call.optional(3) != nullptr) numbers = call.numbers(3);
    const std::vector<Index> axes = call.axes(numbers, given.shape.size());
    if (call.optional(4) != nullptr) steps = call.numbers(4);
    const Index count = starts.size();
    call.require(ends.size() == count && axes.size() == count && steps.size() == count,
                 "its lists differ in length");
    Sides sides = given.shape;
    std::vector<std::int64_t> strides;
    if (given.values) strides = strides_of(given.shape);
    std::int64_t first = 0;
    for (Index at = 0; at < count; ++at) {
        const bool fits = steps[at] != 0 && steps[at] > -kMaxSide && steps[at] < kMaxSide;
        call.require(fits, "it has a step of 0");
        const Index axis = axes[at];
        const Taken taken(given.shape[axis], starts[at], ends[at], steps[at]);
        sides[axis] = taken.count;
        if (!given.values || taken.count == 0) continue;
        first += taken.first * strides[axis];
        strides[axis] *= taken.step;
    }
    std::optional<Values> values;
    if (given.values) values = strided(*given.values, sides, strides, first);
    return {call.made(std::move(sides), given.kind, std::move(values))};
}

std::vector<Array> gather(Call& call) {
    call.takes(2, 2);
    const Array &given = call.input(0), &index = call.input(1);
    const Index axis = call.axis(call.integer("axis", 0), given.shape.size());
    call.require(index.values && is_integer(index.kind),
                 "its indices are no short list of integers known before the run");
    const std::int64_t side = given.shape[axis];
    Sides sides(given.shape.begin(), given.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    sides.insert(sides.end(), index.shape.begin(), index.shape.end());
    sides.insert(sides.end(), given.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                 given.shape.end());
    Integers chosen = std::get<Integers>(*index.values);
    for (std::int64_t& number : chosen) {
        call.require(-side <= number && number < side, "its indices are not all within ", side);
        number += number < 0 ? side : 0;
    }
    if (!given.values || !is_handful(sides)) return {call.made(std::move(sides), given.kind)};
    std::vector<Index> places;
    const auto rounds = static_cast<Index>(elements(given.shape, 0, axis));
    const auto length = static_cast<Index>(elements(given.shape, axis + 1));
    for (Index round = 0; round < rounds; ++round) {
        for (const std::int64_t number : chosen) {
            const Index from = round * static_cast<Index>(side) + static_cast<Index>(number);
            for (Index at = 0; at < length; ++at) places.push_back(from * length + at);
        }
    }
    return {call.made(std::move(sides), given.kind, picked(*given.values, places))};
}

std::vector<Array> expand(Call& call) {
    call.takes(2, 2);
    const Array& given = call.input(0);
    const Integers asked = call.numbers(1);
    const auto is_side = [](std::int64_t side) { return 0 < side && side < kMaxSide; };
    call.require(std::all_of(asked.begin(), asked.end(), is_side), "it asks for the shape ",
                 listed(asked));
    return {call.made(call.broadcast({given.shape, asked}), given.kind)};
}

std::vector<Array> pad(Call& call) {
    call.takes(2, 4);
    const Array& given = call.input(0);
    const Integers pads = call.numbers(1);
    Integers numbers(given.shape.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    if (call.optional(3) != nullptr) numbers = call.numbers(3);
    const std::vector<Index> axes = call.axes(numbers, given.shape.size());
    const auto is_pad = [](std::int64_t size) { return 0 <= size && size <= kMost; };
    call.require(pads.size() == 2 * axes.size() && std::all_of(pads.begin(), pads.end(), is_pad),
                 "it pads by ", listed(pads), "; expected two numbers of 0..", kMost, " a side");
    const std::string mode = call.text("mode", "constant", {"constant", "reflect", "edge"});
    Sides sides = given.shape;
    for (Index at = 0; at < axes.size(); ++at) {
        const std::int64_t before = pads[at], after = pads[at + axes.size()];
        std::int64_t& side = sides[axes[at]];
        call.require(mode != "reflect" || std::max(before, after) < side, "it reflects ",
                     std::max(before, after), " elements of ", side);
        side += before + after;
    }
    return {call.made(std::move(sides), given.kind)};
}

bool is_empty(const Array* given) { return given == nullptr || elements(given->shape) == 0; }

// The sides that Resize makes by factors.
Sides scaled(const Call& call, const Sides& given) {
    const Array* scales = call.optional(2);
    call.require(scales != nullptr && scales->values && is_floating(scales->kind),
                 "its scales are not constant");
    const Reals& factors = std::get<Reals>(*scales->values);
    call.require(factors.size() == given.size(), "it has not one scale a side");
    Sides sides;
    for (Index at = 0; at < given.size(); ++at) {
        call.require(0 < factors[at] && factors[at] < static_cast<double>(kMost), "it scales by ",
                     brief(factors[at]), "; expected a factor of 0..", kMost);
        sides.push_back(static_cast<std::int64_t>(static_cast<double>(given[at]) * factors[at]));
    }
    return sides;
}

std::vector<Array> resize(Call& call) {
    call.takes(3, 4);
    const Array& given = call.input(0);
    call.require(is_empty(call.optional(1)), "it crops by a region; use Slice");
    call.text("mode", "nearest", {"nearest", "linear", "cubic"});
    call.text("coordinate_transformation_mode", "half_pixel",
              {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"});
    for (const char* name : {"axes", "keep_aspect_ratio_policy", "antialias"}) {
        call.require(!call.has(name), "it gives '", name, "', which is not supported");
    }
    const bool has_sizes = call.optional(3) != nullptr;
    call.require(!has_sizes || is_empty(call.optional(2)), "it gives scales and sizes");
    Sides sides = has_sizes ? call.numbers(3) : scaled(call, given.shape);
    const auto is_side = [](std::int64_t side) { return 0 < side && side < kMaxSide; };
    call.require(
        sides.size() == given.shape.size() && std::all_of(sides.begin(), sides.end(), is_side),
        "it makes sides of ", listed(sides));
    call.steps += 16 * elements(sides);  // cubic, in the plane
    return {call.made(std::move(sides), given.kind)};
}

std::vector<Array> depth_to_space(Call& call) {
    call.takes(1, 1);
    const Sides& given = call.input(0).shape;
    const std::int64_t block = call.integer("blocksize", 0, 1, kMost);
    call.require(given.size() == 4, "its input is not [N, C, H, W]");
    call.text("mode", "DCR", {"DCR", "CRD"});
    call.require(given[1] % (block * block) == 0, given[1], " channels are no blocks of ", block);
    const Sides sides{given[0], given[1] / (block * block), given[2] * block, given[3] * block};
    return {call.made(sides, call.input(0).kind)};
}

std::vector<Array> space_to_depth(Call& call) {
    call.takes(1, 1);
    const Sides& given = call.input(0).shape;
    const std::int64_t block = call.integer("blocksize", 0, 1, kMost);
    call.require(given.size() == 4, "its input is not [N, C, H, W]");
    call.require(given[2] % block == 0 && given[3] % block == 0, "its sides are no blocks of ",
                 block);
    const Sides sides{given[0], given[1] * block * block, given[2] / block, given[3] / block};
    return {call.made(sides, call.input(0).kind)};
}

}  // namespace

void add_rearranging(Rules& rules) {
    rules["Transpose"] = transpose;
    rules["Concat"] = concat;
    rules["Split"] = split;
    rules["Slice"] = slice;
    rules["Gather"] = gather;
    rules["Expand"] = expand;
    rules["Pad"] = pad;
    rules["Resize"] = resize;
    rules["DepthToSpace"] = depth_to_space;
    rules["SpaceToDepth"] = space_to_depth;
}

}  // namespace stemzoo::model_file
