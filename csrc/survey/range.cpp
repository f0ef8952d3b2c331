#include "survey/range.hpp"

#include <cmath>
#include <cstddef>

namespace stemzoo::survey {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_numeric(char c) { return is_digit(c) || c == '.' || c == ','; }

// Of digits, commas and at most one point.
std::optional<double> number(const std::string& text) {
    double value = 0, unit = 1;
    bool fraction = false;
    for (const char c : text) {
        if (c == ',') continue;
        if (c == '.') {
            if (fraction) return std::nullopt;
            fraction = true;
            continue;
        }
        value = 10 * value + (c - '0');
        if (fraction) unit *= 10;
    }
    return value / unit;
}

// The end of what `is` holds for, from `at` on.
template <typename Is>
std::size_t end_of(const std::string& text, std::size_t at, Is is) {
    while (at < text.size() && is(text[at])) ++at;
    return at;
}

// Where spaces, "to" and spaces from `at` on end; 0 where something else stands there.
std::size_t after_to(const std::string& text, std::size_t at) {
    const std::size_t word = end_of(text, at, is_space);
    if (word == at || text.compare(word, 2, "to") != 0) return 0;
    const std::size_t end = end_of(text, word + 2, is_space);
    return end == word + 2 ? 0 : end;
}

}  // namespace

std::optional<Range> range_in(const std::string& text) {
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        if (!is_numeric(text[begin])) continue;
        const std::size_t end = end_of(text, begin, is_numeric);
        const std::size_t second = is_digit(text[end - 1]) ? after_to(text, end) : 0;
        std::size_t last = second == 0 ? 0 : end_of(text, second, is_numeric);
        while (last > second && !is_digit(text[last - 1])) --last;  // "1 to 2." ends a sentence
        if (last > second) {
            const auto low = number(text.substr(begin, end - begin)),
                       high = number(text.substr(second, last - second));
            if (low && high && std::isfinite(*low) && *low <= *high) return Range{*low, *high};
            return std::nullopt;
        }
        begin = end;
    }
    return std::nullopt;
}

}  // namespace stemzoo::survey
