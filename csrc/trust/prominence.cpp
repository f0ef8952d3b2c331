#include "trust/prominence.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace stemzoo::trust {
namespace {

using Place = std::uint32_t;  // of a pixel in an image with a frame of one pixel around it
using Key = std::uint64_t;    // of a pixel: a greater one is higher, and no two are the same

constexpr int digit = 11;  // bits that one pass of the radix sort orders by

Key key_of(float value, Place place) {
    value += 0.0f;  // -0 is 0
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits = (bits & 0x80000000u) ? ~bits : bits | 0x80000000u;  // in the order of the floats
    return (Key{bits} << 32) | static_cast<Place>(~place);
}

Place place_of(Key key) { return static_cast<Place>(~key); }

// From the highest to the lowest: a radix sort of what were in the order of their places.
void sort_descending(std::vector<Key>& keys) {
    std::vector<Key> next(keys.size());
    constexpr Key mask = (1u << digit) - 1;
    for (int shift = 32; shift < 64; shift += digit) {
        std::array<std::size_t, mask + 2> starts{};
        for (const Key key : keys) ++starts[(~key >> shift & mask) + 1];
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        for (const Key key : keys) next[starts[~key >> shift & mask]++] = key;
        keys.swap(next);
    }
}

// Every pixel is on the hill that the steepest way up from it leads to.
class Hills {
  public:
    Hills(const float* image, Shape shape)
        : shape_(shape), pitch_(shape.cols + 2), keys_((shape.rows + 2) * pitch_, 0) {
        for (std::size_t y = 0; y < shape.rows; ++y) {
            for (std::size_t x = 0; x < shape.cols; ++x) {
                const auto place = static_cast<Place>((y + 1) * pitch_ + x + 1);
                keys_[place] = key_of(image[y * shape.cols + x], place);
            }
        }
        find_tops();
    }

    Key key(Place place) const { return keys_[place]; }
    Key highest() const { return *std::max_element(keys_.begin(), keys_.end()); }
    Place pixel(Place place) const {
        return static_cast<Place>((place / pitch_ - 1) * shape_.cols + place % pitch_ - 1);
    }

    // The highest pixel so far of the hill that `place` is on.
    Place top(Place place) {
        while (tops_[place] != place) {
            tops_[place] = tops_[tops_[place]];
            place = tops_[place];
        }
        return place;
    }

    // The hills that meet at `place` become one; tells of each that ends there.
    template <typename Ended>
    void join(Place place, const Ended& ended) {
        Place here = top(place);
        for (const Place other : around(place)) {
            if (keys_[other] < keys_[place]) continue;
            Place there = top(other);
            if (there == here) continue;
            if (keys_[here] > keys_[there]) std::swap(here, there);
            tops_[here] = there;
            ended(here);
            here = there;
        }
    }

    // Of pixels with a higher neighbour on another hill: hills meet nowhere else.
    std::vector<Key> borders() const {
        std::vector<Key> found;
        std::vector<unsigned char> between(shape_.cols);
        for (std::size_t y = 1; y <= shape_.rows; ++y) {
            const auto first = static_cast<Place>(y * pitch_ + 1);
            const Key* const keys = &keys_[first];
            const Place* const tops = &tops_[first];
            std::fill(between.begin(), between.end(), 0);
            for (const Place other : around(first)) {
                const Key* const other_keys = &keys_[other];
                const Place* const other_tops = &tops_[other];
                for (std::size_t x = 0; x < between.size(); ++x) {
                    between[x] |= (other_tops[x] != tops[x]) & (other_keys[x] > keys[x]);
                }
            }
            for (std::size_t x = 0; x < between.size(); ++x) {
                if (between[x]) found.push_back(keys[x]);
            }
        }
        return found;
    }

  private:
    std::array<Place, 8> around(Place place) const {
        const auto pitch = static_cast<Place>(pitch_);
        return {place - pitch - 1, place - pitch,     place - pitch + 1, place - 1,
                place + 1,         place + pitch - 1, place + pitch,     place + pitch + 1};
    }

    void find_tops() {
        std::vector<Key> highest(keys_.size(), 0);  // of a pixel and those left and right of it
        for (std::size_t i = 1; i + 1 < keys_.size(); ++i) {
            highest[i] = std::max(std::max(keys_[i - 1], keys_[i]), keys_[i + 1]);
        }
        tops_.resize(keys_.size());
        std::iota(tops_.begin(), tops_.end(), Place{0});
        for (std::size_t y = 1; y <= shape_.rows; ++y) {
            for (std::size_t i = y * pitch_ + 1; i <= y * pitch_ + shape_.cols; ++i) {
                const Key beside = std::max(highest[i - pitch_], highest[i + pitch_]);
                tops_[i] = place_of(std::max(beside, highest[i]));
            }
        }
        for (Place place = 0; place < tops_.size(); ++place) tops_[place] = top(place);
    }

    Shape shape_;
    std::size_t pitch_;
    std::vector<Key> keys_;    // 0 in the frame: lower than any pixel
    std::vector<Place> tops_;  // of each pixel, a higher one of its hill, or itself
};

}  // namespace

// Where hills meet, the lower one ends: on their borders, the highest first.
std::vector<Maximum> maxima(const float* image, Shape shape, float least) {
    if ((shape.rows + 2) * (shape.cols + 2) > std::numeric_limits<Place>::max()) {
        throw std::invalid_argument("an image of 2^32 pixels is too large");
    }
    std::vector<Maximum> found;
    if (shape.size() == 0) return found;
    Hills hills(image, shape);
    std::vector<Key> borders = hills.borders();
    sort_descending(borders);
    std::vector<std::pair<Key, float>> ended;  // top of a hill, and its saddle
    for (const Key border : borders) {
        const float saddle = image[hills.pixel(place_of(border))];
        hills.join(place_of(border), [&](Place top) {
            if (image[hills.pixel(top)] - saddle >= least)
                ended.push_back({hills.key(top), saddle});
        });
    }
    const float lowest = *std::min_element(image, image + shape.size());
    ended.push_back({hills.highest(), lowest});
    std::sort(ended.begin(), ended.end(), std::greater<>());
    for (const auto& [key, saddle] : ended) found.push_back({hills.pixel(place_of(key)), saddle});
    return found;
}

}  // namespace stemzoo::trust
