// Sentences for errors, and UTF-8 cut to a length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model_file/contract.hpp"

namespace stemzoo::model_file {

bool is_utf8(std::string_view text);
std::size_t characters(std::string_view text);

// The first characters of a text, so that an error stays one sentence whatever a file says.
std::string_view cut(std::string_view text, std::size_t most);

// [1, 2, 3], cut to 80 characters.
std::string listed(const std::vector<std::int64_t>& numbers);

// A count that may exceed every integer, in whole numbers.
std::string whole(double count);

// In six digits at most.
std::string brief(double number);

// The parts, one after the other: texts, numbers.
template <typename... Parts>
std::string words(const Parts&... parts) {
    std::string sentence;
    const auto add = [&sentence](const auto& part) {
        if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>) {
            sentence += std::to_string(part);
        } else {
            sentence += part;
        }
    };
    (add(parts), ...);
    return sentence;
}

// Control characters of a file's names do nothing to the terminal or log that shows an error.
std::string printable(std::string text);

template <typename... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
    throw ModelError(printable(words(parts...)));
}

}  // namespace stemzoo::model_file
