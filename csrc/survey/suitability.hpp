// Plain warnings where a picture lies outside what a model was trained for.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/array.hpp"
#include "survey/range.hpp"
#include "survey/survey.hpp"

namespace stemzoo::survey {

// What a model says that it was trained for, by the properties of its contract.
struct Ranges {
    explicit Ranges(const std::map<std::string, std::string>& trained_for);

    std::optional<Range> dose;     // electrons per independent pixel at the brightest columns
    std::optional<Range> spacing;  // px between columns
};

struct Warning {
    std::string text;
    unsigned bin = 1;  // by how many pixels along each axis to bin such pictures; 1: not at all
};

std::vector<Warning> range_warnings(const std::string& model, const Ranges& trained,
                                    const Survey& found);

// The part of a frame that is measured: of a large one, the middle, which is as good.
struct Part {
    std::size_t top = 0, left = 0;
    Shape shape;
};

// Nothing of a frame too small to say anything of itself.
std::optional<Part> measured_part(Shape frame);

}  // namespace stemzoo::survey
