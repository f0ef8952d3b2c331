#include "model_file/fold.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace stemzoo::model_file {
namespace {

constexpr double two_63 = 9223372036854775808.0;

template <typename... Parts>
void require_computable(const Call& call, bool fits, const Parts&... why) {
    if (!fits) refuse(call.node.label, " cannot be computed: ", why...);
}

std::int64_t wrapped(std::int64_t number, Kind kind) {
    if (kind != Kind::int32) return number;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(number));
}

double rounded(double number, Kind kind) {
    if (kind != Kind::float32 || !std::isfinite(number)) return number;
    if (std::abs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
        return std::copysign(std::numeric_limits<double>::infinity(), number);
    }
    return static_cast<double>(static_cast<float>(number));
}

template <typename Number>
Number result(const std::string& op, Number first, Number second) {
    if (op == "Add") return first + second;
    if (op == "Sub") return first - second;
    if (op == "Mul") return first * second;
    return first / second;
}

Integers results(const Call& call, const Integers& first, const Integers& second) {
    Integers found;
    for (std::size_t at = 0; at < first.size(); ++at) {
        found.push_back(wrapped(result(call.node.op, first[at], second[at]), call.input(0).kind));
    }
    return found;
}

Reals results(const Call& call, const Reals& first, const Reals& second) {
    Reals found;
    for (std::size_t at = 0; at < first.size(); ++at) {
        const double made = result(call.node.op, first[at], second[at]);
        const bool was_number = !std::isnan(first[at]) && !std::isnan(second[at]);
        require_computable(call, !was_number || !std::isnan(made), "what it makes is no number");
        found.push_back(rounded(made, call.input(0).kind));
    }
    return found;
}

// The values of an array, repeated as far as a larger shape asks.
Values expanded(const Array& array, const Sides& shape) {
    std::vector<std::int64_t> strides(shape.size(), 0);
    const std::vector<std::int64_t> own = strides_of(array.shape);
    const std::size_t before = shape.size() - array.shape.size();
    for (std::size_t at = 0; at < own.size(); ++at) {
        if (array.shape[at] != 1) strides[before + at] = own[at];
    }
    return strided(*array.values, shape, strides);
}

bool holds_zero(const Values& values) {
    return std::visit(
        [](const auto& numbers) {
            return std::find(numbers.begin(), numbers.end(), 0) != numbers.end();
        },
        values);
}

template <typename Numbers, typename Function>
Numbers mapped(const Values& values, const Function& function) {
    Numbers found;
    std::visit(
        [&](const auto& numbers) {
            std::transform(numbers.begin(), numbers.end(), std::back_inserter(found), function);
        },
        values);
    return found;
}

std::int64_t integer_of(const Call&, std::int64_t number, Kind kind) {
    return kind == Kind::boolean ? number != 0 : wrapped(number, kind);
}

std::int64_t integer_of(const Call& call, double number, Kind kind) {
    if (kind == Kind::boolean) return number != 0;
    const double most = kind == Kind::int32 ? 2147483648.0 : two_63, cut_off = std::trunc(number);
    require_computable(call, cut_off >= -most && cut_off < most, "a number fits no integer");
    return static_cast<std::int64_t>(cut_off);
}

}  // namespace

bool is_handful(const Sides& shape) { return elements(shape) <= static_cast<double>(kMaxKnown); }

std::vector<std::int64_t> strides_of(const Sides& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    if (elements(shape) == 0) return strides;  // of nothing; the product of some sides might wrap
    for (std::size_t at = shape.size(); at-- > 1;) strides[at - 1] = strides[at] * shape[at];
    return strides;
}

Values strided(const Values& values, const Sides& shape, const std::vector<std::int64_t>& strides,
               std::int64_t first) {
    std::vector<std::size_t> places;
    const auto count = static_cast<std::size_t>(elements(shape));
    for (std::size_t number = 0; number < count; ++number) {
        std::int64_t place = first;
        auto rest = static_cast<std::int64_t>(number);
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            place += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        places.push_back(static_cast<std::size_t>(place));
    }
    return picked(values, places);
}

Values picked(const Values& values, const std::vector<std::size_t>& places) {
    return std::visit(
        [&places](const auto& numbers) -> Values {
            std::decay_t<decltype(numbers)> found;
            for (const std::size_t place : places) found.push_back(numbers[place]);
            return found;
        },
        values);
}

std::optional<Values> computed(const Call& call, const Sides& shape) {
    const Array &first = call.input(0), &second = call.input(1);
    if (!first.values || !second.values || first.kind != second.kind ||
        first.kind == Kind::boolean) {
        return std::nullopt;
    }
    require_computable(call, call.node.op != "Div" || !holds_zero(*second.values),
                       "it divides by zero");
    if (!is_handful(shape)) return std::nullopt;
    const Values one = expanded(first, shape), other = expanded(second, shape);
    if (const auto* integers = std::get_if<Integers>(&one)) {
        return results(call, *integers, std::get<Integers>(other));
    }
    return results(call, std::get<Reals>(one), std::get<Reals>(other));
}

void append(Values& values, const Values& more, std::size_t from, std::size_t to) {
    std::visit(
        [&](auto& numbers) {
            const auto& others = std::get<std::decay_t<decltype(numbers)>>(more);
            for (std::size_t at = from; at < to; ++at) numbers.push_back(others[at]);
        },
        values);
}

std::optional<Values> cast(const Call& call, const Array& given, Kind kind) {
    if (!given.values || kind == Kind::float16) return std::nullopt;
    if (!is_floating(kind)) {
        return mapped<Integers>(*given.values,
                                [&](auto number) { return integer_of(call, number, kind); });
    }
    return mapped<Reals>(
        *given.values, [kind](auto number) { return rounded(static_cast<double>(number), kind); });
}

std::optional<Values> whole_numbers(const Array& given, const std::string& op) {
    if (!given.values || !is_floating(given.kind)) return given.values;
    return mapped<Reals>(*given.values, [&op](auto number) {
        const auto real = static_cast<double>(number);
        return op == "Floor" ? std::floor(real) : std::ceil(real);
    });
}

}  // namespace stemzoo::model_file
