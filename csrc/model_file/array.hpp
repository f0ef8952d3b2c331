// What is known of a tensor before a network runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stemzoo::model_file {

// Of TensorProto.DataType; a network is made of no other elements.
enum class Kind { float32 = 1, int32 = 6, int64 = 7, boolean = 9, float16 = 10, float64 = 11 };

std::optional<Kind> kind_of(std::int64_t number);
std::size_t bytes_of(Kind kind);
bool is_integer(Kind kind);   // int32 or int64, which may say a size
bool is_floating(Kind kind);  // float32 or float64, which sizes may be computed from

using Sides = std::vector<std::int64_t>;

// "(1, 3, 64, 64)".
std::string shown(const Sides& sides);

inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::int64_t kMaxSide = std::int64_t{1} << 31;
inline constexpr std::size_t kMaxKnown = 256;  // elements: more are weights, not sizes

inline constexpr std::size_t kLast = std::numeric_limits<std::size_t>::max();

// How many elements there are between two sides, by default of the whole shape. Counts are float64:
// exact up to 2^53, far beyond every limit, and never wrapping.
double elements(const Sides& sides, std::size_t from = 0, std::size_t to = kLast);

// Elements of integers and booleans, or of float32 and float64.
using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Values = std::variant<Integers, Reals>;

struct Array {
    Sides shape;
    Kind kind = Kind::float32;
    std::optional<Values> values{};  // where they are a handful, and do not depend on pixels

    double bytes() const { return elements(shape) * static_cast<double>(bytes_of(kind)); }
};

}  // namespace stemzoo::model_file
