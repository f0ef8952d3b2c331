#include "model_file/contract.hpp"

#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "model_file/onnx_reader.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file {
namespace {

constexpr std::string_view prefix = "stemzoo.", trained_for = "trained_for.";
constexpr std::array<std::string_view, 3> tasks = {"denoise", "restore", "drift"};
constexpr std::array<std::string_view, 1> normalisations = {"mean-std"};
constexpr std::array<std::string_view, 8> required = {
    "name", "version", "task", "normalisation", "licence", "training", "multiple", "halo"};
// Sums of a few such lengths do not wrap.
constexpr std::size_t longest = std::numeric_limits<std::size_t>::max() / 8;

bool begins_with(std::string_view text, std::string_view beginning) {
    return text.substr(0, beginning.size()) == beginning;
}

template <typename Texts>
std::string comma_separated(const Texts& texts) {
    std::string list;
    for (const std::string_view text : texts) list += words(list.empty() ? "" : ", ", text);
    return list;
}

// The properties of stemzoo, by their names without its prefix.
class Promises {
  public:
    Promises(const Properties& properties, const std::string& where) : where_(where) {
        for (const auto& [key, value] : properties) {
            if (begins_with(key, prefix)) given_[key.substr(prefix.size())] = value;
        }
        std::vector<std::string> missing;
        for (const std::string_view key : required) {
            if (find(key) == nullptr) missing.push_back(words(prefix, key));
        }
        if (missing.empty()) return;
        refuse(where_, " does not meet the model contract: its metadata lacks ",
               comma_separated(missing),
               "; export it with training/export.py, or ask its maker for such a file");
    }

    std::string text(std::string_view key, std::string_view otherwise = "") const {
        const std::string* found = find(key);
        return found != nullptr ? *found : std::string(otherwise);
    }

    template <typename Texts>
    void require_one_of(const Texts& known, std::string_view key) const {
        const std::string value = text(key);
        for (const std::string_view each : known) {
            if (value == each) return;
        }
        refuse(where_, ": ", prefix, key, " is '", cut(value, 80), "'; this stemzoo knows ",
               comma_separated(known), "; a newer stemzoo may know more");
    }

    // A decimal number; `otherwise` where the property is not there.
    std::size_t count(std::string_view key, std::size_t least, std::size_t otherwise = 0) const {
        const std::string* found = find(key);
        if (found == nullptr) return otherwise;
        std::size_t value = 0;
        bool fits = !found->empty();
        for (const char digit : *found) {
            fits = fits && digit >= '0' && digit <= '9' && value <= longest / 10;
            if (fits) value = 10 * value + static_cast<std::size_t>(digit - '0');
        }
        if (fits && value >= least) return value;
        refuse(where_, ": ", prefix, key, " is '", cut(*found, 80),
               "'; expected a whole number >= ", least);
    }

    std::map<std::string, std::string> ranges() const {
        std::map<std::string, std::string> found;
        for (const auto& [key, value] : given_) {
            if (begins_with(key, trained_for)) found[key.substr(trained_for.size())] = value;
        }
        return found;
    }

  private:
    const std::string* find(std::string_view key) const {
        const auto found = given_.find(std::string(key));
        return found != given_.end() ? &found->second : nullptr;
    }

    const std::string& where_;
    Properties given_;
};

// What the task needs beside what every model says.
void require_whole(const Contract& contract, const std::string& where) {
    const std::size_t multiple = contract.multiple, halo = contract.halo, whole = contract.whole;
    const bool drifts = contract.task == "drift";
    if (drifts != ((contract.surface > 0) != (contract.features > 0))) {
        refuse(where, ": its task is ", contract.task, ", ", prefix, "surface is ",
               contract.surface, " and ", prefix, "features is ", contract.features,
               "; a drift model, and no other, names the side of the surface it reads, or how "
               "many features it makes of a frame");
    }
    if (contract.features % 2 != 0) {
        refuse(where, ": ", prefix, "features is ", contract.features,
               "; expected an even number, since half of them count for a drift and half against "
               "it");
    }
    const std::size_t least = (2 * halo + multiple - 1) / multiple * multiple + multiple;
    const bool fits = contract.window == 0 && least <= whole && whole <= kMaxWhole;
    if (whole > 0 && !fits) {
        refuse(where, ": ", prefix, "whole is ", whole, ", ", prefix, "halo ", halo, " and ",
               prefix, "window ", contract.window, "; expected ", least,
               " (two halos and a multiple) to ", kMaxWhole,
               " px, and none for a network of fixed windows: export it without");
    }
    if (contract.window > 0 && (contract.step < 1 || contract.step > contract.window)) {
        refuse(where, ": ", prefix, "step is ", contract.step, "; expected 1 to ", contract.window,
               ", its window");
    }
}

}  // namespace

Properties properties_of(Bytes model, const std::string& where) {
    try {
        return onnx::mapping(onnx::read_properties(model));
    } catch (const ModelError& error) {
        refuse(where, ": ", error.what());
    }
}

Contract contract_of(const Properties& properties, const std::string& where) {
    const Promises given(properties, where);
    Contract contract;
    contract.name = given.text("name");
    contract.version = given.text("version");
    contract.task = given.text("task");
    contract.multiple = given.count("multiple", 1);
    contract.halo = given.count("halo", 0);
    contract.normalisation = given.text("normalisation");
    contract.licence = given.text("licence");
    contract.training = given.text("training");
    contract.summary = given.text("summary");
    contract.limits = given.text("limits");
    contract.trained_for = given.ranges();
    contract.whole = given.count("whole", 1);
    contract.window = given.count("window", 0);
    contract.step = given.count("step", 0);
    contract.surface = given.count("surface", 0);
    contract.features = given.count("features", 0);
    contract.look = given.count("look", 0);
    contract.minimum_runtime = given.text("minimum_runtime", contract.minimum_runtime);
    contract.denoiser = given.text("denoiser");
    given.require_one_of(tasks, "task");
    given.require_one_of(normalisations, "normalisation");
    require_whole(contract, where);
    return contract;
}

}  // namespace stemzoo::model_file
