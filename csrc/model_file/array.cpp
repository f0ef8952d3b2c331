#include "model_file/array.hpp"

#include <algorithm>

namespace stemzoo::model_file {

std::optional<Kind> kind_of(std::int64_t number) {
    for (const Kind kind :
         {Kind::float32, Kind::int32, Kind::int64, Kind::boolean, Kind::float16, Kind::float64}) {
        if (number == static_cast<std::int64_t>(kind)) return kind;
    }
    return std::nullopt;
}

std::size_t bytes_of(Kind kind) {
    switch (kind) {
        case Kind::boolean:
            return 1;
        case Kind::float16:
            return 2;
        case Kind::float32:
        case Kind::int32:
            return 4;
        case Kind::int64:
        case Kind::float64:
            break;
    }
    return 8;
}

bool is_integer(Kind kind) { return kind == Kind::int32 || kind == Kind::int64; }

bool is_floating(Kind kind) { return kind == Kind::float32 || kind == Kind::float64; }

std::string shown(const Sides& sides) {
    std::string list;
    for (const std::int64_t side : sides) list += (list.empty() ? "" : ", ") + std::to_string(side);
    return "(" + list + (sides.size() == 1 ? ",)" : ")");
}

double elements(const Sides& sides, std::size_t from, std::size_t to) {
    double count = 1;
    for (std::size_t at = from; at < std::min(to, sides.size()); ++at) {
        count *= static_cast<double>(sides[at]);
    }
    return count;
}

}  // namespace stemzoo::model_file
