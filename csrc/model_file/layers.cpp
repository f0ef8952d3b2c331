// The operators that hold weights or look around a pixel.
#include <algorithm>

#include "model_file/rules.hpp"

namespace stemzoo::model_file {
namespace {

using Index = std::size_t;

// The sides of a shape from one on.
Sides tail(const Sides& shape, Index from) {
    return {shape.begin() + static_cast<std::ptrdiff_t>(from), shape.end()};
}

Sides joined(Sides first, const Sides& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

std::int64_t divided_up(std::int64_t number, std::int64_t by) { return (number + by - 1) / by; }

// The input and the weights of a convolution, and how many groups it has.
struct Weighed {
    const Array& given;
    const Array& weight;
    std::int64_t group;
};

Weighed weighed(const Call& call) {
    call.takes(2, 3);
    const Array &given = call.input(0), &weight = call.input(1);
    const Index rank = given.shape.size();
    const bool fits = 3 <= rank && rank <= 5 && rank == weight.shape.size() &&
                      std::count(weight.shape.begin(), weight.shape.end(), 0) == 0;
    call.require(fits, "its weights do not fit its input");
    return {given, weight, call.integer("group", 1, 1, kMost)};
}

void require_bias(const Call& call, std::int64_t made) {
    const Array* bias = call.optional(2);
    call.require(bias == nullptr || bias->shape == Sides{made},
                 "its bias is not one number a kernel");
}

Integers kernel_of(const Call& call, const Sides& expected) {
    Integers kernel = call.integers("kernel_shape", expected, 1);
    call.require(kernel == expected, "kernel_shape is not that of its weights");
    return kernel;
}

// The sides of what a kernel makes that slides over `sides`.
Sides slid(const Call& call, const Sides& sides, const Integers& kernel) {
    const Index count = kernel.size();
    const Integers ones(count, 1), none(2 * count, 0);
    const Integers strides = call.integers("strides", ones, 1);
    const Integers dilations = call.integers("dilations", ones, 1);
    const Integers pads = call.integers("pads", none, 0);
    const std::string same =
        call.text("auto_pad", "NOTSET", {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"});
    const bool rounds_up = call.integer("ceil_mode", 0, 0, 1) == 1;
    Sides made;
    for (Index at = 0; at < sides.size(); ++at) {
        if (same == "SAME_UPPER" || same == "SAME_LOWER") {
            made.push_back(divided_up(sides[at], strides[at]));
            continue;
        }
        const std::int64_t padded =
            sides[at] + (same == "NOTSET" ? pads[at] + pads[at + count] : 0);
        const std::int64_t room = padded - dilations[at] * (kernel[at] - 1) - 1;
        call.require(room >= 0, "its kernel is larger than the ", padded, " pixels it slides over");
        const std::int64_t steps = rounds_up ? divided_up(room, strides[at]) : room / strides[at];
        // The last window begins in the image or in the pad before it.
        const bool overhangs = rounds_up && steps * strides[at] >= sides[at] + pads[at];
        made.push_back(overhangs ? steps : steps + 1);
    }
    return made;
}

std::vector<Array> conv(Call& call) {
    const Weighed its = weighed(call);
    const Sides &given = its.given.shape, &weight = its.weight.shape;
    const std::int64_t made = weight[0];
    call.require(weight[1] * its.group == given[1], "its weights do not fit its channels");
    call.require(made % its.group == 0, "its ", made, " kernels do not fit group ", its.group);
    require_bias(call, made);
    const Integers kernel = kernel_of(call, tail(weight, 2));
    Sides shape = joined({given[0], made}, slid(call, tail(given, 2), kernel));
    call.steps += elements(shape) * elements(weight, 1);
    return {call.made(std::move(shape), its.given.kind)};
}

std::vector<Array> conv_transpose(Call& call) {
    const Weighed its = weighed(call);
    const Sides &given = its.given.shape, &weight = its.weight.shape;
    const std::int64_t channels = given[1], made = weight[1] * its.group;
    call.require(weight[0] == channels, "its weights do not fit its channels");
    call.require(channels % its.group == 0, "its ", channels, " channels do not fit group ",
                 its.group);
    require_bias(call, made);
    call.text("auto_pad", "NOTSET", {"NOTSET"});
    call.require(!call.has("output_shape"), "it gives output_shape; give pads");
    const Integers kernel = kernel_of(call, tail(weight, 2));
    const Index count = kernel.size();
    const Integers ones(count, 1), none(count, 0);
    const Integers strides = call.integers("strides", ones, 1);
    const Integers dilations = call.integers("dilations", ones, 1);
    const Integers pads = call.integers("pads", Integers(2 * count, 0), 0);
    const Integers extra = call.integers("output_padding", none, 0);
    Sides shape{given[0], made};
    for (Index at = 0; at < count; ++at) {
        shape.push_back(strides[at] * (given[2 + at] - 1) + extra[at] +
                        dilations[at] * (kernel[at] - 1) + 1 - pads[at] - pads[at + count]);
        call.require(extra[at] < std::max(strides[at], dilations[at]),
                     "output_padding is not below its stride or dilation");
    }
    // Every pixel's kernel is laid out before they are added up.
    const double columns = elements(given, 2) * static_cast<double>(weight[1]) * elements(kernel);
    call.scratch_bytes = columns * static_cast<double>(bytes_of(its.given.kind));
    call.steps += columns * static_cast<double>(given[0]) * static_cast<double>(channels);
    return {call.made(std::move(shape), its.given.kind)};
}

std::vector<Array> pool(Call& call) {
    call.takes(1, 1);
    const Sides& given = call.input(0).shape;
    const Index count = call.integers("kernel_shape").size();
    call.require(1 <= count && count + 2 == given.size() && count <= 3,
                 "kernel_shape does not fit its input");
    const Integers kernel = call.integers("kernel_shape", Integers(count, 0), 1);
    // A pad as wide as the kernel would leave windows that see nothing of the image.
    const Integers pads = call.integers("pads", Integers(2 * count, 0), 0);
    for (Index at = 0; at < pads.size(); ++at) {
        call.require(pads[at] < kernel[at % count], "pads >= kernel");
    }
    Sides shape = joined({given[0], given[1]}, slid(call, tail(given, 2), kernel));
    call.steps += elements(shape) * elements(kernel);
    return {call.made(std::move(shape), call.input(0).kind)};
}

std::vector<Array> global_pool(Call& call) {
    call.takes(1, 1);
    const Sides& given = call.input(0).shape;
    call.require(given.size() >= 3, "its input has no sides to pool");
    Sides shape(given.size(), 1);
    std::copy_n(given.begin(), 2, shape.begin());
    return {call.made(std::move(shape), call.input(0).kind)};
}

std::vector<Array> matmul(Call& call) {
    call.takes(2, 2);
    const Sides &first = call.input(0).shape, &second = call.input(1).shape;
    const Index one = first.size(), other = second.size();
    call.require(one >= 2 && other >= 2 && first[one - 1] == second[other - 2],
                 "no matrices that fit");
    const Sides stack = call.broadcast(
        {Sides(first.begin(), first.end() - 2), Sides(second.begin(), second.end() - 2)});
    Sides shape = joined(stack, {first[one - 2], second[other - 1]});
    call.steps += elements(shape) * static_cast<double>(first[one - 1]);
    return {call.made(std::move(shape), call.input(0).kind)};
}

std::vector<Array> gemm(Call& call) {
    call.takes(2, 3);
    Sides first = call.input(0).shape, second = call.input(1).shape;
    call.require(first.size() == 2 && second.size() == 2, "its inputs are no matrices");
    if (call.integer("transA", 0, 0, 1) == 1) std::swap(first[0], first[1]);
    if (call.integer("transB", 0, 0, 1) == 1) std::swap(second[0], second[1]);
    call.require(first[1] == second[0], "its matrices do not fit");
    Sides shape{first[0], second[1]};
    const Array* bias = call.optional(2);
    call.require(bias == nullptr || call.broadcast({shape, bias->shape}) == shape,
                 "its bias is larger than its product");
    call.steps += elements(shape) * static_cast<double>(first[1]);
    return {call.made(std::move(shape), call.input(0).kind)};
}

std::vector<Array> normalised(Call& call) {
    const Array& given = call.input(0);
    call.require(given.shape.size() >= 2, "its input has no channels");
    for (Index index = 1; index < call.inputs.size(); ++index) {
        call.require(call.input(index).shape == Sides{given.shape[1]}, "input ", index,
                     " has not one number a channel");
    }
    return {call.made(given.shape, given.kind)};
}

std::vector<Array> batch_normalization(Call& call) {
    call.takes(5, 5);
    call.integer("training_mode", 0, 0, 0);
    return normalised(call);
}

std::vector<Array> instance_normalization(Call& call) {
    call.takes(3, 3);
    return normalised(call);
}

std::vector<Array> layer_normalization(Call& call) {
    call.takes(2, 3);
    const Array& given = call.input(0);
    const Index axis = call.axis(call.integer("axis", -1), given.shape.size());
    for (Index index = 1; index < call.inputs.size(); ++index) {
        const Array* each = call.optional(index);
        call.require(each == nullptr || each->shape == tail(given.shape, axis), "input ", index,
                     " has another shape");
    }
    return {call.made(given.shape, given.kind)};
}

}  // namespace

void add_layers(Rules& rules) {
    rules["Conv"] = conv;
    rules["ConvTranspose"] = conv_transpose;
    for (const char* op : {"MaxPool", "AveragePool"}) rules[op] = pool;
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) rules[op] = global_pool;
    rules["MatMul"] = matmul;
    rules["Gemm"] = gemm;
    rules["BatchNormalization"] = batch_normalization;
    rules["InstanceNormalization"] = instance_normalization;
    rules["LayerNormalization"] = layer_normalization;
}

}  // namespace stemzoo::model_file
