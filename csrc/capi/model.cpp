#include "capi/model.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "capi/image.hpp"
#include "capi/model_content.hpp"
#include "capi/status.hpp"
#include "capi/stemzoo.h"

using namespace stemzoo::capi;
using stemzoo::Scratch;
using stemzoo::Shape;
using stemzoo::View;

namespace {

namespace inference = stemzoo::inference;
namespace ort = stemzoo::onnxruntime;

ort::Provider provider_from(const stemzoo_provider& given) {
    require(given.name, "the name of a provider");
    ort::Provider provider{given.name, {}, given.library == nullptr ? "" : given.library};
    if (given.count == 0) return provider;
    require(given.keys, "the keys of a provider's options");
    require(given.values, "the values of a provider's options");
    for (std::size_t i = 0; i < given.count; ++i) {
        require(given.keys[i], "a key of a provider's options");
        require(given.values[i], "a value of a provider's options");
        provider.options.emplace_back(given.keys[i], given.values[i]);
    }
    return provider;
}

ort::SessionOptions session_options(const stemzoo_model_options* given) {
    ort::SessionOptions options;
    if (given == nullptr) return options;
    options.threads = threads_from(given->threads);
    if (given->provider_count > 0) require(given->providers, "options.providers");
    for (std::size_t i = 0; i < given->provider_count; ++i) {
        options.providers.push_back(provider_from(given->providers[i]));
    }
    return options;
}

stemzoo_model* opened(const void* bytes, std::size_t size, const std::string& where,
                      const stemzoo_model_options* given) {
    const ort::SessionOptions options = session_options(given);
    return new stemzoo_model{
        std::make_shared<const Network>(
            stemzoo::model_file::Bytes{static_cast<const unsigned char*>(bytes), size}, where,
            options),
        options.threads};
}

std::string shown(double number) {
    std::string text(32, '\0');
    text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.6g", number)));
    return text;
}

inference::Normalisation normalisation_from(const stemzoo_run_options& given) {
    if (std::isfinite(given.mean) && std::isfinite(given.std) && given.std > 0) {
        return {given.mean, given.std};
    }
    throw std::invalid_argument("options.mean is " + shown(given.mean) + " and options.std " +
                                shown(given.std) +
                                "; expected finite numbers in the units of the image, std above 0");
}

inference::Options run_options(const stemzoo_run_options* given) {
    inference::Options options;
    if (given == nullptr) return options;
    if (given->given_normalisation != 0) options.normalisation = normalisation_from(*given);
    if (given->progress != nullptr) {
        options.progress = [given](std::size_t done, std::size_t total) {
            return given->progress(given->user, done, total) == 0;
        };
    }
    return options;
}

void run(const stemzoo_model& model, const stemzoo::AnyView& image, inference::Options options,
         const View<float>& out) {
    const Shape shape = out.shape;
    const Scratch<float> result(shape.size());
    options.threads = model.threads;
    model.network->run(image, options, stemzoo::contiguous(result.data(), shape));
    copy_rows(result.data(), out);
}

}  // namespace

extern "C" {

int stemzoo_model_open(const char* path, const stemzoo_model_options* options,
                       stemzoo_model** model) {
    return guarded([&] {
        require(path, "path");
        require(model, "model");
        const std::string content = read_model(path);
        *model = opened(content.data(), content.size(), path, options);
    });
}

int stemzoo_model_open_memory(const void* bytes, size_t size, const stemzoo_model_options* options,
                              stemzoo_model** model) {
    return guarded([&] {
        require(bytes, "bytes");
        require(model, "model");
        *model = opened(bytes, size, "the model in memory", options);
    });
}

int stemzoo_model_metadata(const stemzoo_model* model, const char* key, const char** value) {
    return guarded([&] {
        require(model, "model");
        require(key, "key");
        require(value, "value");
        const auto& properties = model->network->properties();
        const auto found = properties.find(std::string("stemzoo.") + key);
        *value = found == properties.end() ? nullptr : found->second.c_str();
    });
}

int stemzoo_model_run_f32(const stemzoo_model* model, const float* in, size_t rows, size_t cols,
                          ptrdiff_t in_row_stride, float* out, ptrdiff_t out_row_stride) {
    return guarded([&] {
        require(model, "model");
        const Shape shape = shape_from(rows, cols, "the image");
        run(*model, floats_from(in, shape, in_row_stride, "in"), {},
            output_from(out, shape, out_row_stride, "out"));
    });
}

int stemzoo_model_run(const stemzoo_model* model, const stemzoo_image* image,
                      const stemzoo_run_options* options, float* out, ptrdiff_t out_row_stride) {
    return guarded([&] {
        require(model, "model");
        const Image given = image_from(image, "image");
        inference::Options settings = run_options(options);
        if (given.masked) settings.mask = *given.masked;
        if (all_masked(given)) {
            throw std::invalid_argument(
                "every pixel of image is masked, so there is nothing to work on");
        }
        run(*model, given.pixels, settings, output_from(out, given.shape(), out_row_stride, "out"));
    });
}

int stemzoo_model_close(stemzoo_model* model) {
    return guarded([&] { delete model; });
}
}
