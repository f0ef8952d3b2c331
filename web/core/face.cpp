// The core as the page's worker calls it: models examined, images run tile by tile. The network is
// ONNX Runtime Web's, which answers later, so the loop is taken step by step.
#include "face.hpp"

#include <emscripten/bind.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inference/plan_tiles.hpp"
#include "inference/run_network.hpp"
#include "model_file/examine.hpp"
#include "model_file/interface.hpp"
#include "survey/suitability.hpp"
#include "survey/survey.hpp"

namespace stemzoo {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

val pair_of(double first, double second) {
    val both = val::array();
    both.call<void>("push", first, second);
    return both;
}

val pair_of(Shape shape) {
    return pair_of(static_cast<double>(shape.rows), static_cast<double>(shape.cols));
}

class Model {
  public:
    Model(const std::string& bytes, const std::string& where)
        : examined_(guarded([&] {
              const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
              return model_file::examine({data, bytes.size()}, where);
          })),
          interface_(model_file::interface_of(examined_.contract)) {}

    const model_file::Contract& contract() const { return examined_.contract; }

    // The contract's fields, as in Python.
    val described() const {
        const model_file::Contract& known = contract();
        val told = val::object();
        told.set("name", known.name);
        told.set("version", known.version);
        told.set("task", known.task);
        told.set("normalisation", known.normalisation);
        told.set("licence", known.licence);
        told.set("summary", known.summary);
        told.set("limits", known.limits);
        told.set("denoiser", known.denoiser);
        told.set("input", interface_.input);
        told.set("output", interface_.outputs.front());
        val trained_for = val::object();
        for (const auto& [key, value] : known.trained_for) trained_for.set(key, value);
        told.set("trained_for", trained_for);
        return told;
    }

    void require_room(std::size_t count, Shape tile) const {
        const auto side = [](std::size_t length) { return static_cast<std::int64_t>(length); };
        model_file::require_room(examined_, {side(count), 1, side(tile.rows), side(tile.cols)});
    }

  private:
    model_file::Examined examined_;
    model_file::Interface interface_;
};

// Fill `pixels`, `start`, then answer `next` by filling `answers` and `take` until it is null.
class Run {
  public:
    Run(const std::string& dtype, std::size_t rows, std::size_t cols)
        : type_(guarded([&] { return type_called(dtype); })),
          shape_{rows, cols},
          pixels_(rows * cols * type_.bytes),
          out_(rows * cols, std::numeric_limits<float>::quiet_NaN()) {}

    val pixels() { return val(typed_memory_view(pixels_.size(), pixels_.data())); }

    void start(const Model& model) {
        guarded([&] {
            const Tiling tiling =
                inference::plan_tiles(shape_, inference::geometry_of(model.contract()));
            inference::Options options;
            options.threads = 1;
            run_ =
                std::make_unique<inference::NetworkRun>(type_.view(pixels_.data(), shape_), tiling,
                                                        contiguous(out_.data(), shape_), options);
            tiling_ = std::make_unique<Tiling>(tiling);
            model_ = &model;
            return 0;
        });
    }

    // {pixels, shape} of the next tiles, or null.
    val next() {
        return guarded([&] {
            const inference::Batch* batch = run_->next();
            if (batch == nullptr) return val::null();
            model_->require_room(batch->count, batch->tile);
            const std::size_t size = batch->count * batch->tile.size();
            answers_.resize(size);
            val shape = val::array();
            shape.call<void>("push", batch->count, 1, batch->tile.rows, batch->tile.cols);
            val told = val::object();
            told.set("pixels", val(typed_memory_view(size, batch->pixels.get())));
            told.set("shape", shape);
            return told;
        });
    }

    val answers() { return val(typed_memory_view(answers_.size(), answers_.data())); }
    void take() { run_->take(answers_.data()); }
    std::size_t done() const { return run_->done(); }
    std::size_t total() const { return run_->total(); }

    // What the record says of the run, in the words of Python's.
    val finish() const {
        return guarded([&] {
            const inference::Normalised& by = run_->finish();
            val normalisation = val::object();
            normalisation.set("kind", model_->contract().normalisation);
            normalisation.set("mean", by.mean);
            normalisation.set("std", by.std);
            if (by.limits) normalisation.set("limits", pair_of(by.limits->low, by.limits->high));
            val tiling = val::object();
            tiling.set("tile", pair_of(tiling_->tile()));
            tiling.set("step", pair_of(tiling_->step()));
            tiling.set("weights", weights_name(tiling_->weights()));
            val told = val::object();
            told.set("normalisation", normalisation);
            told.set("tiling", tiling);
            return told;
        });
    }

    val result() { return val(typed_memory_view(out_.size(), out_.data())); }

  private:
    PixelType type_;
    Shape shape_;
    std::vector<unsigned char> pixels_;  // malloc aligns it for every type
    std::vector<float> out_, answers_;
    std::unique_ptr<inference::NetworkRun> run_;
    std::unique_ptr<Tiling> tiling_;
    const Model* model_ = nullptr;  // JavaScript keeps it until the end
};

// A frame and what a model made of it: fill `pixels` and `result`, then ask what the model was not
// trained for.
class Judgement {
  public:
    Judgement(const std::string& dtype, std::size_t rows, std::size_t cols)
        : type_(guarded([&] { return type_called(dtype); })),
          shape_{rows, cols},
          pixels_(rows * cols * type_.bytes),
          result_(rows * cols) {}

    val pixels() { return val(typed_memory_view(pixels_.size(), pixels_.data())); }
    val result() { return val(typed_memory_view(result_.size(), result_.data())); }

    // {warnings, measured}; `measured` is null of a frame too small to say anything.
    val by(const Model& model) const {
        return guarded([&] {
            val told = val::object(), warnings = val::array(), measured = val::null();
            if (const auto found = surveyed()) {
                const model_file::Contract& contract = model.contract();
                for (const survey::Warning& each : survey::range_warnings(
                         contract.name, survey::Ranges(contract.trained_for), *found)) {
                    warnings.call<void>("push", each.text);
                }
                measured = val::object();
                measured.set("dose", found->independent_dose);
                measured.set("spacing", found->spacing);
                measured.set("atoms", found->atoms);
            }
            told.set("warnings", warnings);
            told.set("measured", measured);
            return told;
        });
    }

  private:
    std::optional<survey::Survey> surveyed() const {
        const auto part = survey::measured_part(shape_);
        if (!part) return std::nullopt;
        const std::vector<float> raw = cut(type_.view(pixels_.data(), shape_), *part),
                                 clean =
                                     cut(contiguous<const float>(result_.data(), shape_), *part);
        return survey::survey(raw.data(), clean.data(), part->shape, 1);
    }

    static std::vector<float> cut(const AnyView& image, const survey::Part& part) {
        std::vector<float> found;
        found.reserve(part.shape.size());
        std::visit(
            [&](const auto& view) {
                for (std::size_t y = part.top; y < part.top + part.shape.rows; ++y) {
                    for (std::size_t x = part.left; x < part.left + part.shape.cols; ++x) {
                        found.push_back(static_cast<float>(view.at(y, x)));
                    }
                }
            },
            image);
        return found;
    }

    PixelType type_;
    Shape shape_;
    std::vector<unsigned char> pixels_;  // malloc aligns it for every type
    std::vector<float> result_;
};

std::string version() { return STEMZOO_VERSION; }

}  // namespace

EMSCRIPTEN_BINDINGS(stemzoo) {
    emscripten::function("version", &version);
    emscripten::class_<Model>("Model").constructor<std::string, std::string>().function(
        "described", &Model::described);
    emscripten::class_<Judgement>("Judgement")
        .constructor<std::string, std::size_t, std::size_t>()
        .function("pixels", &Judgement::pixels)
        .function("result", &Judgement::result)
        .function("by", &Judgement::by);
    emscripten::class_<Run>("Run")
        .constructor<std::string, std::size_t, std::size_t>()
        .function("pixels", &Run::pixels)
        .function("start", &Run::start)
        .function("next", &Run::next)
        .function("answers", &Run::answers)
        .function("take", &Run::take)
        .function("done", &Run::done)
        .function("total", &Run::total)
        .function("finish", &Run::finish)
        .function("result", &Run::result);
}

}  // namespace stemzoo
