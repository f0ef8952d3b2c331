#include "model_file/constant.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "model_file/words.hpp"

namespace stemzoo::model_file {
namespace {

// Where a tensor keeps its data: in bytes of the file, or in a list of integers that was read.
struct Data {
    std::string places;  // where it lies, in words
    std::size_t places_count = 0;
    bool fits_kind = true;
    std::string_view bytes;
    const std::vector<onnx::Integer>* integers = nullptr;

    void in_bytes(std::string_view place, const std::optional<onnx::Raw>& raw, bool fits) {
        if (!raw || raw->bytes.empty()) return;
        bytes = raw->bytes;
        add(place, fits);
    }

    void in_list(std::string_view place, const std::vector<onnx::Integer>& list, bool fits) {
        if (list.empty()) return;
        integers = &list;
        add(place, fits);
    }

    double count(Kind kind) const {
        if (integers != nullptr) return static_cast<double>(integers->size());
        return static_cast<double>(bytes.size()) / static_cast<double>(bytes_of(kind));
    }

  private:
    void add(std::string_view place, bool fits) {
        places += words(places.empty() ? "" : ", ", place);
        ++places_count;
        fits_kind = fits_kind && fits;
    }
};

template <typename To, typename From>
std::vector<To> numbers(std::string_view bytes) {
    std::vector<To> found;
    for (; !bytes.empty(); bytes.remove_prefix(sizeof(From))) {
        found.push_back(static_cast<To>(protobuf::little_endian<From>(bytes)));
    }
    return found;
}

std::optional<Values> values_of(Kind kind, const Data& data) {
    if (data.integers != nullptr) {
        const auto is_short = [](std::int64_t number) {
            return number == static_cast<std::int32_t>(number);
        };
        if (kind == Kind::int32 &&
            !std::all_of(data.integers->begin(), data.integers->end(), is_short)) {
            refuse("a constant of 32-bit numbers holds a longer one");
        }
        return *data.integers;
    }
    switch (kind) {
        case Kind::float32:
            return numbers<double, float>(data.bytes);
        case Kind::float64:
            return numbers<double, double>(data.bytes);
        case Kind::int32:
            return numbers<std::int64_t, std::int32_t>(data.bytes);
        case Kind::int64:
            return numbers<std::int64_t, std::int64_t>(data.bytes);
        default:
            return std::nullopt;  // no size is computed in half precision
    }
}

}  // namespace

Array constant(const onnx::Tensor& given) {
    const std::string label = words("the constant '", cut(given.name.value_or(""), 80), "'");
    const std::optional<Kind> known_kind = kind_of(given.kind.value_or(0));
    if (!known_kind || *known_kind == Kind::boolean) {
        refuse(label, " has elements of type ", given.kind.value_or(0),
               "; expected one of (1, 6, 7, 10, 11): float, int32, int64, float16, double");
    }
    const Kind kind = *known_kind;
    const auto is_side = [](std::int64_t side) { return 0 <= side && side < kMaxSide; };
    if (given.dims.size() > kMaxRank ||
        !std::all_of(given.dims.begin(), given.dims.end(), is_side)) {
        refuse(label, " has shape ", listed(given.dims), "; expected at most ", kMaxRank,
               " sides >= 0");
    }
    Data data;
    data.in_bytes("raw", given.raw, true);
    data.in_bytes("floats", given.floats, kind == Kind::float32);
    data.in_bytes("doubles", given.doubles, kind == Kind::float64);
    data.in_list("int32s", given.int32s, kind == Kind::int32);
    data.in_list("int64s", given.int64s, kind == Kind::int64);
    if (data.places_count > 1 || !data.fits_kind) {
        refuse(label, " of type ", static_cast<int>(kind), " keeps its data in: ", data.places);
    }
    const double count = elements(given.dims), found = data.count(kind);
    if (found != count) {
        refuse(label, " has shape ", shown(given.dims), ", ", whole(count),
               " elements, and data for ", brief(found));
    }
    Array array{given.dims, kind};
    if (count <= static_cast<double>(kMaxKnown)) array.values = values_of(kind, data);
    return array;
}

}  // namespace stemzoo::model_file
