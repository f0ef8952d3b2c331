// Quantiles, linear between two values as numpy.quantile has them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace stemzoo::survey {

// `share` is 0 to 1. Reorders the values; of none, NaN.
template <typename T>
double quantile(std::vector<T>& values, double share) {
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(place);
    const auto at = values.begin() + below;
    std::nth_element(values.begin(), at, values.end());
    const auto low = static_cast<double>(*at);
    if (at + 1 == values.end()) return low;
    const auto high = static_cast<double>(*std::min_element(at + 1, values.end()));
    return low + (place - static_cast<double>(below)) * (high - low);
}

template <typename T>
double median(std::vector<T>& values) {
    return quantile(values, 0.5);
}

}  // namespace stemzoo::survey
