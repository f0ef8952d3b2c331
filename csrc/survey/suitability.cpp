#include "survey/suitability.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace stemzoo::survey {
namespace {

// Doses are known to a factor of two, spacings better: a warning needs them to be this far outside.
constexpr double dose_margin = 2, spacing_margin = 1.25;
constexpr std::size_t largest_side = 2048, least_side = 64;  // px

std::string brief(double number, int digits = 6) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    return text;
}

std::string rounded(double number, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, number);
    return text;
}

// Binned by two, columns are still as far apart as the model needs them.
bool has_room(const Survey& found, const std::optional<Range>& spacing) {
    return spacing && found.atoms && found.spacing >= 2 * spacing->low;
}

std::optional<Range> range_of(const std::map<std::string, std::string>& trained_for,
                              const char* key) {
    const auto said = trained_for.find(key);
    return said == trained_for.end() ? std::nullopt : range_in(said->second);
}

Warning low_dose(const std::string& model, const Ranges& trained, const Survey& found) {
    return {"the dose is about " + brief(found.independent_dose, 2) +
                " electrons per pixel at the brightest columns; " + model + " was trained from " +
                brief(trained.dose->low) + " on: take a slower scan, average frames, or bin pixels",
            has_room(found, trained.spacing) ? 2u : 1u};
}

Warning no_columns(const std::string& model, const Range& spacing) {
    return {
        "no ordered columns were found: it looks like a picture of low magnification, of a "
        "surface, or without atoms; " +
        model + " was trained for columns " + brief(spacing.low) + " to " + brief(spacing.high) +
        " px apart, and may draw some that are not there"};
}

Warning too_close(const std::string& model, const Range& spacing, double apart) {
    return {"columns are about " + rounded(apart, 1) + " px apart; " + model +
            " was trained from " + brief(spacing.low) + " px on: record smaller pixels"};
}

Warning too_far(const std::string& model, const Range& spacing, double apart) {
    return {"columns are about " + rounded(apart, 0) + " px apart; " + model +
                " was trained up to " + brief(spacing.high) + " px: bin pixels",
            static_cast<unsigned>(std::ceil(apart / spacing.high))};
}

}  // namespace

Ranges::Ranges(const std::map<std::string, std::string>& trained_for)
    : dose(range_of(trained_for, "dose")), spacing(range_of(trained_for, "spacing")) {}

std::vector<Warning> range_warnings(const std::string& model, const Ranges& trained,
                                    const Survey& found) {
    std::vector<Warning> warnings;
    if (trained.dose && found.independent_dose < trained.dose->low / dose_margin) {
        warnings.push_back(low_dose(model, trained, found));
    }
    if (!trained.spacing) return warnings;
    const Range spacing = *trained.spacing;
    if (!found.atoms) {
        warnings.push_back(no_columns(model, spacing));
    } else if (found.spacing < spacing.low / spacing_margin) {
        warnings.push_back(too_close(model, spacing, found.spacing));
    } else if (found.spacing > spacing.high * spacing_margin) {
        warnings.push_back(too_far(model, spacing, found.spacing));
    }
    return warnings;
}

std::optional<Part> measured_part(Shape frame) {
    if (std::min(frame.rows, frame.cols) < least_side) return std::nullopt;
    const Shape shape{std::min(frame.rows, largest_side), std::min(frame.cols, largest_side)};
    return Part{(frame.rows - shape.rows) / 2, (frame.cols - shape.cols) / 2, shape};
}

}  // namespace stemzoo::survey
