// What a model file promises about itself; a runtime needs to know nothing else.
#pragma once

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>

namespace stemzoo::model_file {

// A file is no model, or one that may not run. The message begins with where it was found.
struct ModelError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The serialised model, in memory that the caller keeps.
struct Bytes {
    const unsigned char* data = nullptr;
    std::size_t size = 0;
};

inline constexpr std::size_t kMaxModel = std::size_t{1} << 30;  // bytes of a file
inline constexpr std::size_t kMaxWhole = 4096;  // px: no network is handed more on a side

// metadata_props as they stand in the file.
using Properties = std::map<std::string, std::string>;

// The `stemzoo.*` properties of a model, checked. Lengths are in pixels.
struct Contract {
    std::string name, version, task;
    std::size_t multiple = 1;  // height and width of what the network is given divide by this
    std::size_t halo = 0;      // pixels around a tile that still change what comes out inside it
    std::string normalisation, licence;
    std::string training;         // recipe, commit, seed, device and cost, as JSON
    std::string summary, limits;  // limits: where it is known to fail
    std::map<std::string, std::string> trained_for;  // dose, spacing, ...
    std::size_t whole = 0;     // frames up to this on a side go in one piece; 0: what is usual
    std::size_t window = 0;    // side of the only windows the network takes; 0: any multiple
    std::size_t step = 0;      // how far apart such windows lie when they cover an image
    std::size_t surface = 0;   // side of the NCC surface that a drift network reads
    std::size_t features = 0;  // maps that a drift network makes of a frame
    std::size_t look = 0;      // which look they are made of
    std::string minimum_runtime = "0.1.0";  // the oldest stemzoo that can run it
    std::string denoiser;                   // NAME@VERSION that works together with this model
};

// Reads the metadata alone, and steps over every other field.
Properties properties_of(Bytes model, const std::string& where);

// The contract in the properties of a model found at `where`.
Contract contract_of(const Properties& properties, const std::string& where);

}  // namespace stemzoo::model_file
