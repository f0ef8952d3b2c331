#include "trust/prominence.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace stemzoo::trust {
namespace {

constexpr std::uint32_t unseen = std::numeric_limits<std::uint32_t>::max();
constexpr int digit = 11;  // bits that one pass of the radix sort orders by

// The same order as that of the floats, for unsigned numbers.
std::uint32_t ordered(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return (bits & 0x80000000u) ? ~bits : bits | 0x80000000u;
}

// Pixels from the highest to the lowest, stable: a radix sort.
std::vector<std::uint32_t> descending(const float* image, std::size_t size) {
    std::vector<std::uint32_t> keys(size), places(size), next_keys(size), next(size);
    for (std::size_t i = 0; i < size; ++i) keys[i] = ~ordered(image[i]);
    std::iota(places.begin(), places.end(), 0u);
    for (int shift = 0; shift < 32; shift += digit) {
        std::vector<std::uint32_t> starts((1u << digit) + 1, 0);
        const std::uint32_t mask = (1u << digit) - 1;
        for (const std::uint32_t key : keys) ++starts[((key >> shift) & mask) + 1];
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t to = starts[(keys[i] >> shift) & mask]++;
            next_keys[to] = keys[i];
            next[to] = places[i];
        }
        keys.swap(next_keys);
        places.swap(next);
    }
    return places;
}

std::uint32_t root(std::vector<std::uint32_t>& parent, std::uint32_t pixel) {
    while (parent[pixel] != pixel) {
        parent[pixel] = parent[parent[pixel]];
        pixel = parent[pixel];
    }
    return pixel;
}

}  // namespace

std::vector<Maximum> maxima(const float* image, Shape shape, float least) {
    if (shape.size() >= unseen) throw std::invalid_argument("an image of 2^32 pixels is too large");
    std::vector<Maximum> found;
    if (shape.size() == 0) return found;
    const std::vector<std::uint32_t> order = descending(image, shape.size());
    std::vector<std::uint32_t> parent(shape.size(), unseen), rank(shape.size());
    for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<std::uint32_t>(i);
    const auto rows = static_cast<std::ptrdiff_t>(shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(shape.cols);
    for (const std::uint32_t pixel : order) {
        parent[pixel] = pixel;
        const std::ptrdiff_t y = pixel / cols, x = pixel % cols;
        for (std::ptrdiff_t v = std::max<std::ptrdiff_t>(y - 1, 0); v <= y + 1 && v < rows; ++v) {
            for (std::ptrdiff_t u = std::max<std::ptrdiff_t>(x - 1, 0); u <= x + 1 && u < cols;
                 ++u) {
                const auto neighbour = static_cast<std::uint32_t>(v * cols + u);
                if (parent[neighbour] == unseen) continue;
                std::uint32_t high = root(parent, neighbour), low = root(parent, pixel);
                if (high == low) continue;
                // A root is the highest pixel of its hill. The lower hill ends here.
                if (rank[high] > rank[low]) std::swap(high, low);
                parent[low] = high;
                if (image[low] - image[pixel] >= least && low != pixel) {
                    found.push_back({low, image[pixel]});
                }
            }
        }
    }
    found.push_back({order.front(), image[order.back()]});
    std::sort(found.begin(), found.end(),
              [&](const Maximum& a, const Maximum& b) { return rank[a.place] < rank[b.place]; });
    return found;
}

}  // namespace stemzoo::trust
