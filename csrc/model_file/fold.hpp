// The few numbers from which sizes are computed: what operators make of values that are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model_file/array.hpp"
#include "model_file/call.hpp"

namespace stemzoo::model_file {

// Whether so many values are few enough to be known.
bool is_handful(const Sides& shape);

// How far apart neighbours along each axis lie in row-major order.
std::vector<std::int64_t> strides_of(const Sides& shape);

// The elements of `values` that stand `strides` apart, in the row-major order of `shape`.
Values strided(const Values& values, const Sides& shape, const std::vector<std::int64_t>& strides,
               std::int64_t first = 0);

// The elements of `values` at these places.
Values picked(const Values& values, const std::vector<std::size_t>& places);

// Adds some of other values, of the same kind.
void append(Values& values, const Values& more, std::size_t from, std::size_t to);

// What Add, Sub, Mul or Div makes of the node's two inputs, where both are known and of one kind.
// Integers of 2^31 or more are refused before, so that none wraps.
std::optional<Values> computed(const Call& call, const Sides& shape);

// Elements of one kind as those of another.
std::optional<Values> cast(const Call& call, const Array& given, Kind kind);

// What Floor or Ceil makes of them.
std::optional<Values> whole_numbers(const Array& given, const std::string& op);

}  // namespace stemzoo::model_file
