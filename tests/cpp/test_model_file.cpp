// The gate before ONNX Runtime, on models written byte by byte.
#include <limits>
#include <string>

#include "check.hpp"
#include "model_file/examine.hpp"
#include "model_file/interface.hpp"
#include "model_file/words.hpp"
#include "onnx_writer.hpp"

using namespace onnx_writer;
using stemzoo::model_file::Bytes;
using stemzoo::model_file::Contract;
using stemzoo::model_file::contract_of;
using stemzoo::model_file::Examined;
using stemzoo::model_file::ModelError;
using stemzoo::model_file::properties_of;

namespace {

constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

// In memory of its own size, so that a sanitizer sees what is read beyond it.
Examined examine(const std::string& file) {
    const std::vector<unsigned char> own(file.begin(), file.end());
    return stemzoo::model_file::examine({own.data(), own.size()}, "here");
}

Bytes view(const std::string& file) {
    return {reinterpret_cast<const unsigned char*>(file.data()), file.size()};
}

std::string unary(const std::string& op, const std::string& more = "") {
    return node(op, {"image"}, {"output"}, more);
}

// A node that reads the image and a list of sizes.
std::string sized(const std::string& op, const Numbers& values, const std::string& more = "") {
    return node(op, {"image", "sizes"}, {"output"}, more) + sizes("sizes", values);
}

const std::string good = model(unary("Identity"));

}  // namespace

TEST(a_good_model_passes_with_its_contract) {
    const Examined found =
        examine(model(unary("Relu"), promises({{"trained_for.dose", "1 to 9"}})));
    CHECK(found.contract.name == "test");
    CHECK(found.contract.minimum_runtime == "0.1.0");
    CHECK(found.contract.trained_for.at("dose") == "1 to 9");
    CHECK(found.properties.at("stemzoo.task") == "denoise");
    stemzoo::model_file::require_room(found, {2, 1, 100, 30});
}

TEST(metadata_is_read_where_the_rest_is_damaged) {
    const std::string file = bytes(7, "no graph") + metadata(promises());
    CHECK(contract_of(properties_of(view(file), "here"), "here").licence == "MIT");
    CHECK_THROWS(examine(file), ModelError, "here: not an ONNX file");
}

TEST(a_contract_says_what_is_wrong_with_it) {
    const auto told = [](const Properties& given) { return examine(model(unary("Relu"), given)); };
    CHECK_THROWS(told({}), ModelError, "here does not meet the model contract: its metadata lacks");
    for (const char* wrong : {"", "0", "-1", "+1", " 1", "1_0", "1.0", "99999999999999999999999"}) {
        CHECK_THROWS(told(promises({{"multiple", wrong}})), ModelError,
                     "here: stemzoo.multiple is '" + std::string(wrong));
    }
    CHECK_THROWS(told(promises({{"halo", "2000"}})), ModelError, "has halo 2000; expected at most");
    CHECK_THROWS(told(promises({{"task", "dig"}})), ModelError, "knows denoise, restore, drift");
    CHECK_THROWS(told(promises({{"window", "8"}})), ModelError, "stemzoo.step is 0");
    CHECK_THROWS(told(promises({{"whole", "9000"}})), ModelError, "stemzoo.whole is 9000");
    CHECK_THROWS(told(promises({{"task", "drift"}})), ModelError, "names the side of the surface");
}

TEST(no_cut_and_no_flipped_bit_does_worse_than_be_refused) {
    std::size_t refused = 0;
    const auto try_one = [&refused](const std::string& file) {
        try {
            examine(file);
        } catch (const ModelError& error) {
            CHECK(std::string(error.what()).rfind("here", 0) == 0);
            ++refused;
        }
    };
    for (std::size_t at = 0; at < good.size(); ++at) {
        try_one(good.substr(0, at));
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = good;
            flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
            try_one(flipped);
        }
    }
    CHECK(refused > 4 * good.size());
}

TEST(what_is_no_plain_protobuf_is_refused) {
    CHECK_THROWS(examine(std::string("\x08") + std::string(64, '\xff')), ModelError,
                 "ends inside a number");
    CHECK_THROWS(examine(good + "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), ModelError,
                 "cut short");
    CHECK_THROWS(examine(good + "\x0b"), ModelError, "unknown protobuf wire type 3");
    CHECK_THROWS(examine(good + number(999, 1)), ModelError, "it has a field 999");
    CHECK_THROWS(examine(good + number(1, 8)), ModelError, "'ir_version' is given twice");
    CHECK_THROWS(examine(good + number(7, 8)), ModelError, "'graph' comes as wire type 0");
    CHECK_THROWS(examine(good + bytes(2, std::string(70000, 'x'))), ModelError, "a text of 70000");
    std::string many = good;
    for (int count = 0; count < 200000; ++count) many += bytes(8, "");
    CHECK_THROWS(examine(many), ModelError, "more than 200000 fields");
    CHECK_THROWS(examine(bytes(2, "xxORTM") + good), ModelError, "own format");
}

TEST(texts_are_utf8) {
    for (const char* wrong : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
        CHECK_THROWS(examine(good + bytes(2, wrong)), ModelError, "a text is no UTF-8");
    }
    CHECK(examine(good + bytes(2, "\xe2\x82\xac \xf0\x9f\x94\xac")).contract.halo == 0);
    CHECK(stemzoo::model_file::cut("\xe2\x82\xac\xe2\x82\xac", 1) == "\xe2\x82\xac");
}

TEST(names_that_control_a_terminal_are_shown_without) {
    const std::string name("\0\x1b[2J\nfine", 10);
    CHECK_THROWS(examine(model(node("Relu", {name}, {"output"}))), ModelError,
                 "reads '??[2J?fine', which nothing before it makes");
}

TEST(nothing_outside_and_nothing_nested) {
    const std::string external = number(14, 1);
    CHECK_THROWS(examine(model(unary("Relu") + constant("w", {0}, 1, external))), ModelError,
                 "it holds external data");
    const std::string inner = bytes(5, bytes(1, "body") + bytes(6, unary("Relu")));
    CHECK_THROWS(examine(model(unary("Loop", inner))), ModelError,
                 "it holds a graph inside a node");
    CHECK_THROWS(examine(good + bytes(25, "")), ModelError, "it holds a function");
    CHECK_THROWS(examine(model(unary("Scan"))), ModelError, "is none of the operators");
    CHECK_THROWS(examine(model(unary("Relu", bytes(7, "evil")))), ModelError,
                 "of the domain 'evil'");
    CHECK_THROWS(examine(model(node("Relu", {"output"}, {"output"}))), ModelError,
                 "which nothing before it makes");
    CHECK_THROWS(examine(model(unary("Relu") + unary("Relu"))), ModelError, "is there already");
}

TEST(huge_shapes_are_refused_and_wrap_nowhere) {
    const auto held = [](const Numbers& dims, const std::string& data) {
        return examine(model(unary("Relu") + constant("w", dims, 1, data)));
    };
    CHECK_THROWS(held({1 << 30, 1 << 30, 16}, ""), ModelError, "and data for 0");
    CHECK_THROWS(held({200000, 200000}, bytes(9, "four")), ModelError, "and data for 1");
    CHECK_THROWS(held({highest, 2}, ""), ModelError, "expected at most 8 sides");
    CHECK(held({0, highest >> 32, highest >> 32, highest >> 32}, "").contract.halo == 0);
    for (const std::int64_t odd : {highest, lowest, std::int64_t{-9}, std::int64_t{1} << 62}) {
        CHECK_THROWS(examine(model(sized("Expand", {odd, 1, 1, 1}))), ModelError, "asks for");
        CHECK_THROWS(examine(model(sized("Reshape", {odd, odd, -1, 4}))), ModelError, "asks for");
        CHECK_THROWS(examine(model(sized("Pad", {0, 0, odd, 0, 0, 0, 0, odd}))), ModelError,
                     "pads");
        CHECK_THROWS(examine(model(sized("Split", {odd, odd}))), ModelError, "parts");
        CHECK_THROWS(examine(model(sized("Squeeze", {odd}))), ModelError, "no axis");
        CHECK_THROWS(examine(model(unary("Softmax", attribute("axis", odd)))), ModelError,
                     "no axis");
        CHECK_THROWS(examine(model(unary("DepthToSpace", attribute("blocksize", odd)))), ModelError,
                     "'blocksize' is");
        CHECK_THROWS(examine(model(unary("MaxPool", attribute("kernel_shape", Numbers{odd, odd})))),
                     ModelError, "'kernel_shape' is");
        const std::string start = node("Shape", {"image"}, {"s"}, attribute("start", odd));
        CHECK(examine(model(start + unary("Relu"))).contract.halo == 0);
    }
    CHECK_THROWS(examine(model(sized("Expand", {200000, 1, 1, 1}))), ModelError, "MiB at once");
}

TEST(slices_to_the_ends_of_the_numbers) {
    const std::string ends = sizes("from", {lowest, highest}) + sizes("to", {highest, lowest}) +
                             sizes("axes", {2, 3}) + sizes("steps", {1, -1});
    const Names inputs = {"image", "from", "to", "axes", "steps"};
    CHECK(examine(model(node("Slice", inputs, {"output"}) + ends)).contract.halo == 0);
}

TEST(sizes_computed_from_the_image_are_followed) {
    // Half the height and the width, by way of float32, and twice that again.
    const std::string nodes =
        node("Shape", {"image"}, {"shape"}) +
        node("Cast", {"shape"}, {"real"}, attribute("to", 1)) +
        node("Mul", {"real", "half"}, {"less"}) + node("Floor", {"less"}, {"floor"}) +
        node("Cast", {"floor"}, {"sizes"}, attribute("to", 7)) +
        node("Slice", {"sizes", "two", "four"}, {"plane"}) +
        node("Concat", {"one", "one", "plane"}, {"all"}, attribute("axis", std::int64_t{0})) +
        node("Resize", {"image", "", "", "all"}, {"small"}) +
        node("Add", {"all", "all"}, {"doubled"}) + node("Gather", {"doubled", "axes"}, {"sides"}) +
        node("Concat", {"one", "one", "sides"}, {"again"}, attribute("axis", std::int64_t{0})) +
        node("Resize", {"small", "", "", "again"}, {"output"});
    const std::string values = constant("half", {}, 1, bytes(9, std::string("\0\0\0\x3f", 4))) +
                               sizes("one", {1}) + sizes("two", {2}) + sizes("four", {4}) +
                               sizes("axes", {-2, 3});
    const Examined found = examine(model(nodes + values));
    stemzoo::model_file::require_room(found, {1, 1, 96, 128});
    CHECK_THROWS(examine(model(node("Div", {"one", "none"}, {"x"}) + unary("Relu") +
                               sizes("one", {1}) + sizes("none", {0}))),
                 ModelError, "it divides by zero");
    CHECK_THROWS(examine(model(node("Mul", {"big", "big"}, {"x"}) + unary("Relu") +
                               sizes("big", {std::int64_t{1} << 31}))),
                 ModelError, "integers of 2147483648 or more");
}

TEST(booleans_and_half_precision_say_no_size) {
    // What is known of a list of one element that was cast there and back.
    const auto by_way_of = [](std::int64_t kind, const std::string& op) {
        return model(node("Cast", {"one"}, {"a"}, attribute("to", kind)) + node(op, {"a"}, {"b"}) +
                     node("Cast", {"b"}, {"c"}, attribute("to", 7)) +
                     node("Concat", {"c", "three"}, {"sides"}, attribute("axis", std::int64_t{0})) +
                     node("Expand", {"image", "sides"}, {"output"}) + sizes("one", {1}) +
                     sizes("three", {1, 1, 1}));
    };
    for (const std::int64_t kind : {1, 6, 7, 9, 11}) {
        CHECK(examine(by_way_of(kind, "Floor")).contract.halo == 0);
    }
    CHECK_THROWS(examine(by_way_of(10, "Floor")), ModelError, "decides a shape");
    CHECK_THROWS(examine(by_way_of(7, "Neg")), ModelError, "decides a shape");
    CHECK_THROWS(examine(model(node("Cast", {"one"}, {"a"}, attribute("to", 9)) +
                               node("Sub", {"a", "a"}, {"b"}) + node("Div", {"b", "b"}, {"c"}) +
                               sized("Expand", {1, 1, 1, -1}) + sizes("one", {1}))),
                 ModelError, "asks for the shape [1, 1, 1, -1]");
}

TEST(what_a_size_hides_from_the_gate_is_met_at_another_shape) {
    // An array of (width - 64) x 2^20 elements, and of one where that is none.
    const std::string nodes =
        node("Shape", {"image"}, {"width"}, attribute("start", 3)) +
        node("Sub", {"width", "sixty-four"}, {"off"}) +
        node("Sub", {"width", "large"}, {"off too"}) + node("Mul", {"off", "off too"}, {"zero"}) +
        node("Mul", {"zero", "many"}, {"size"}) + node("Sub", {"one", "size"}, {"sizes"}) +
        node("Expand", {"scalar", "sizes"}, {"expanded"}) +
        node("ReduceMax", {"expanded"}, {"least"}, attribute("keepdims", std::int64_t{0})) +
        node("Add", {"image", "least"}, {"output"});
    const std::string values = sizes("sixty-four", {64}) + sizes("large", {1024}) +
                               sizes("many", {1 << 10}) + sizes("one", {1}) +
                               constant("scalar", {1}, 1, bytes(9, std::string(4, '\0')));
    const Examined found = examine(model(nodes + values));
    CHECK_THROWS(stemzoo::model_file::require_room(found, {1, 1, 64, 200}), ModelError,
                 "MiB at once for an input of (1, 1, 64, 200)");
    CHECK_THROWS(stemzoo::model_file::require_room(found, {0, 1, 64, 64}), ModelError, "no image");
}

TEST(interfaces_are_tried_on_sizes_that_they_take) {
    Contract contract;
    contract.multiple = 24;
    auto kind = stemzoo::model_file::interface_of(contract);
    CHECK(kind.input == "image");
    CHECK((kind.trials.at(0) == Numbers{1, 1, 72, 72}));
    CHECK((kind.answer({2, 1, 24, 48}) == Numbers{2, 1, 24, 48}));
    contract.features = 6;
    kind = stemzoo::model_file::interface_of(contract);
    CHECK((kind.trials.at(1) == Numbers{1, 3, 1032, 1032}));
    CHECK((kind.answer({2, 3, 24, 48}) == Numbers{2, 6, 24, 48}));
    contract.features = 0;
    contract.surface = 65;
    kind = stemzoo::model_file::interface_of(contract);
    CHECK(kind.side == 65);
    CHECK((kind.answer({5, 1, 65, 65}) == Numbers{5, 2}));
}
