// The operators that compute element by element, or along axes.
#include <cmath>

#include "model_file/fold.hpp"
#include "model_file/rules.hpp"

namespace stemzoo::model_file {
namespace {

constexpr std::int64_t exact = std::int64_t{1} << 31;  // sizes are computed from numbers below this

std::vector<Array> each_element(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    return {call.made(given.shape, given.kind)};
}

// A size may be copied, and rounded where it was computed in floating point.
std::vector<Array> identity(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    return {call.made(given.shape, given.kind, given.values)};
}

std::vector<Array> to_whole(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    return {call.made(given.shape, given.kind, whole_numbers(given, call.node.op))};
}

std::vector<Array> clip(Call& call) {
    call.takes(1, 3);
    for (std::size_t index = 1; index < call.inputs.size(); ++index) {
        const Array* bound = call.optional(index);
        call.require(bound == nullptr || bound->shape.empty(), "its bounds are no single numbers");
    }
    return {call.made(call.input(0).shape, call.input(0).kind)};
}

bool is_small(const Array& array) {
    if (!array.values) return true;
    return std::visit(
        [](const auto& numbers) {
            for (const auto number : numbers) {
                const auto size = std::abs(static_cast<double>(number));
                if (!(size < static_cast<double>(exact))) return false;
            }
            return true;
        },
        *array.values);
}

std::vector<Array> arithmetic(Call& call) {
    call.takes(2, 2);
    const Array &first = call.input(0), &second = call.input(1);
    Sides shape = call.broadcast({first.shape, second.shape});
    if (is_integer(first.kind)) {
        call.require(is_small(first) && is_small(second), "it computes with integers of ", exact,
                     " or more");
        // Zero, here, would not be an error of the runtime but its end.
        call.require(call.node.op != "Div" || (first.values && second.values),
                     "it divides integers not known before the run");
    }
    std::optional<Values> values = computed(call, shape);
    return {call.made(std::move(shape), first.kind, std::move(values))};
}

std::vector<Array> power(Call& call) {
    call.takes(2, 2);
    Sides shape = call.broadcast({call.input(0).shape, call.input(1).shape});
    return {call.made(std::move(shape), call.input(0).kind)};
}

Sides common_shape(const Call& call) {
    std::vector<Sides> shapes;
    for (std::size_t index = 0; index < call.inputs.size(); ++index) {
        shapes.push_back(call.input(index).shape);
    }
    return call.broadcast(shapes);
}

std::vector<Array> of_several(Call& call) {
    call.takes(1, 64);
    return {call.made(common_shape(call), call.input(0).kind)};
}

std::vector<Array> comparison(Call& call) {
    call.takes(2, 2);
    return {call.made(common_shape(call), Kind::boolean)};
}

std::vector<Array> where(Call& call) {
    call.takes(3, 3);
    return {call.made(common_shape(call), call.input(1).kind)};
}

std::vector<Array> prelu(Call& call) {
    call.takes(2, 2);
    const Array& given = call.input(0);
    call.require(common_shape(call) == given.shape, "slope is larger");
    return {call.made(given.shape, given.kind)};
}

std::vector<Array> cast_to(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    const std::int64_t number = call.integer("to", 0, 0, 99);
    const std::optional<Kind> kind = kind_of(number);
    call.require(kind.has_value(), "it makes elements of type ", number,
                 "; expected one of (1, 6, 7, 9, 10, 11)");
    return {call.made(given.shape, *kind, cast(call, given, *kind))};
}

std::vector<Array> softmax(Call& call) {
    call.takes(1, 1);
    const Array& given = call.input(0);
    call.axis(call.integer("axis", -1), given.shape.size());
    return {call.made(given.shape, given.kind)};
}

std::vector<Array> reduce(Call& call) {
    call.takes(1, 2);
    const Array& given = call.input(0);
    const bool is_input = call.optional(1) != nullptr;
    const Integers numbers = is_input ? call.numbers(1) : call.integers("axes");
    std::vector<bool> is_reduced = call.named_axes(numbers, given.shape.size());
    if (numbers.empty() && call.integer("noop_with_empty_axes", 0, 0, 1) == 0) {
        is_reduced.assign(given.shape.size(), true);
    }
    const bool keeps = call.integer("keepdims", 1, 0, 1) == 1;
    Sides shape;
    for (std::size_t at = 0; at < given.shape.size(); ++at) {
        if (!is_reduced[at]) shape.push_back(given.shape[at]);
        if (is_reduced[at] && keeps) shape.push_back(1);
    }
    return {call.made(std::move(shape), given.kind)};
}

}  // namespace

void add_arithmetic(Rules& rules) {
    rules["Identity"] = identity;
    for (const char* op : {"Floor", "Ceil"}) rules[op] = to_whole;
    for (const char* op :
         {"Abs",  "Elu",     "Erf",      "Exp",      "HardSigmoid", "HardSwish", "LeakyRelu",
          "Log",  "Neg",     "Not",      "Relu",     "Reciprocal",  "Round",     "Selu",
          "Sign", "Sigmoid", "Softplus", "Softsign", "Sqrt",        "Tanh"}) {
        rules[op] = each_element;
    }
    rules["Clip"] = clip;
    for (const char* op : {"Add", "Sub", "Mul", "Div"}) rules[op] = arithmetic;
    rules["Pow"] = power;
    for (const char* op : {"Max", "Min", "Mean", "Sum"}) rules[op] = of_several;
    for (const char* op :
         {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or"}) {
        rules[op] = comparison;
    }
    rules["Where"] = where;
    rules["PRelu"] = prelu;
    rules["Cast"] = cast_to;
    for (const char* op : {"Softmax", "LogSoftmax"}) rules[op] = softmax;
    for (const char* op : {"ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin",
                           "ReduceSum", "ReduceSumSquare"}) {
        rules[op] = reduce;
    }
}

}  // namespace stemzoo::model_file
