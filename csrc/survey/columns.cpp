#include "survey/columns.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "survey/quantile.hpp"
#include "trust/prominence.hpp"

namespace stemzoo::survey {
namespace {

// Of the contrast, over the saddle to a higher column.
constexpr double least_rise = 0.1, high_rise = 0.25;
constexpr std::size_t some = 400;         // columns are enough for a median
constexpr std::size_t least_columns = 9;  // fewer have no order
// In a crystal, half of the distances to nearest neighbours lie in a narrow interval; relative to
// their median. Of few columns, that happens by chance in a narrower one.
constexpr double narrow = 0.2, by_chance = 5;

struct Place {
    float y, x;
};

// To the nearest other place, of some of them.
std::vector<float> nearest_distances(const std::vector<Place>& places) {
    std::vector<float> found;
    if (places.size() < 2) return found;
    const std::size_t step = (places.size() + some - 1) / some;
    for (std::size_t i = 0; i < places.size(); i += step) {
        float least = std::numeric_limits<float>::infinity();
        for (std::size_t j = 0; j < places.size(); ++j) {
            const float y = places[i].y - places[j].y, x = places[i].x - places[j].x;
            if (i != j) least = std::min(least, y * y + x * x);
        }
        found.push_back(std::sqrt(least));
    }
    return found;
}

// By the shortest interval that holds half of them.
bool is_ordered(std::vector<float> distances) {
    std::sort(distances.begin(), distances.end());
    const std::size_t half = distances.size() / 2;
    float shortest = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i + half < distances.size(); ++i) {
        shortest = std::min(shortest, distances[i + half] - distances[i]);
    }
    const double limit = narrow * (1 - by_chance / static_cast<double>(distances.size()));
    return static_cast<double>(shortest) < limit * median(distances);
}

}  // namespace

Columns columns_of(const float* smooth, Shape shape, double contrast) {
    Columns columns;
    if (!(contrast > 0)) return columns;
    std::vector<Place> places, high;
    const auto rise = static_cast<float>(high_rise * contrast);
    for (const trust::Maximum& each :
         trust::maxima(smooth, shape, static_cast<float>(least_rise * contrast))) {
        const Place place{static_cast<float>(each.place / shape.cols),
                          static_cast<float>(each.place % shape.cols)};
        places.push_back(place);
        if (smooth[each.place] - each.saddle >= rise) high.push_back(place);
    }
    columns.count = places.size();
    columns.enough = places.size() >= least_columns;
    if (!columns.enough) return columns;
    std::vector<float> distances = nearest_distances(places);
    columns.ordered = is_ordered(distances) ||
                      (high.size() >= least_columns && is_ordered(nearest_distances(high)));
    columns.spacing = median(distances);
    return columns;
}

}  // namespace stemzoo::survey
