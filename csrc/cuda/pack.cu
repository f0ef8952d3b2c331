#include "cuda/launch.hpp"
#include "cuda/pack.hpp"

namespace stemzoo::cuda {
namespace {

// One pixel of an image, copied as it is.
struct PackPixel {
    Frames image;
    void* packed;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t bytes = bytes_of(image.type);
        const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(at.y) * image.row_stride +
                                    static_cast<std::ptrdiff_t>(at.x) * image.col_stride;
        const std::size_t to = std::size_t{at.y} * image.shape.cols + at.x;
        if (bytes == 1) copy<std::uint8_t>(from, to);
        if (bytes == 2) copy<std::uint16_t>(from, to);
        if (bytes == 4) copy<std::uint32_t>(from, to);
        if (bytes == 8) copy<std::uint64_t>(from, to);
    }

  private:
    template <typename Word>
    STEMZOO_ANYWHERE void copy(std::ptrdiff_t from, std::size_t to) const {
        static_cast<Word*>(packed)[to] = static_cast<const Word*>(image.data)[from];
    }
};

}  // namespace

void pack(const Queue& queue, const Frames& image, void* packed) {
    const Index items{static_cast<unsigned>(image.shape.cols),
                      static_cast<unsigned>(image.shape.rows), 1};
    launch(queue, items, PackPixel{image, packed});
}

}  // namespace stemzoo::cuda
