// A range as people write it: "0.5 to 100,000 electrons per pixel".
#pragma once

#include <optional>
#include <string>

namespace stemzoo::survey {

struct Range {
    double low = 0, high = 0;
};

// The first range in a text. Nothing where there is none, where its numbers cannot be read, and
// where they fall. Whatever the locale, numbers have a point and may have commas.
std::optional<Range> range_in(const std::string& text);

}  // namespace stemzoo::survey
