// Numbers as messages show them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace stemzoo {

// The shortest decimal that reads back as the same number.
inline std::string number_text(double value) {
    char text[40];
    for (int digits = 1; digits <= 17; ++digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, value);
        if (std::strtod(text, nullptr) == value) break;
    }
    const std::string found = text;
    return found.find_first_of(".en") == std::string::npos ? found + ".0" : found;
}

}  // namespace stemzoo
