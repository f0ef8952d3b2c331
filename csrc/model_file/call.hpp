// A node as the rules of the operators see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model_file/array.hpp"
#include "model_file/graph.hpp"
#include "model_file/words.hpp"

namespace stemzoo::model_file {

inline constexpr std::int64_t kMost = 1 << 16;  // of a kernel, a stride, a pad, a block

// A node with what is known of its inputs; rules add what it computes and holds meanwhile.
class Call {
  public:
    // `inputs` are null where they are left out.
    Call(const Node& node, std::int64_t opset, std::vector<const Array*> inputs);

    const Node& node;
    const std::int64_t opset;
    const std::vector<const Array*> inputs;
    double steps = 0, scratch_bytes = 0;

    template <typename... Parts>
    void require(bool fits, const Parts&... what) const {
        if (!fits) fail(words(what...));
    }

    // How many inputs the operator has.
    void takes(std::size_t least, std::size_t most) const;
    const Array& input(std::size_t index) const;
    const Array* optional(std::size_t index) const;  // null where it is left out
    // The whole numbers of an input that decides a shape.
    Integers numbers(std::size_t index) const;

    bool has(std::string_view attribute) const;
    // Attributes, each with what it is by default.
    std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
    std::int64_t integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                         std::int64_t most) const;
    Integers integers(std::string_view name) const;
    Integers integers(std::string_view name, const Integers& otherwise, std::int64_t least,
                      std::int64_t most = kMost) const;
    std::string text(std::string_view name, std::string_view otherwise,
                     std::initializer_list<std::string_view> allowed) const;

    std::size_t axis(std::int64_t number, std::size_t rank) const;
    // For every axis, whether the numbers name it.
    std::vector<bool> named_axes(const Integers& numbers, std::size_t rank) const;
    std::vector<std::size_t> axes(const Integers& numbers, std::size_t rank) const;

    // The shape that arrays of these shapes have in common.
    Sides broadcast(const std::vector<Sides>& shapes) const;
    Array made(Sides shape, Kind kind, std::optional<Values> values = std::nullopt) const;

  private:
    [[noreturn]] void fail(const std::string& what) const;
    template <typename Value>
    const Value* get(std::string_view name, std::string_view kind) const;
};

using Rule = std::vector<Array> (*)(Call&);
using Rules = std::map<std::string, Rule>;

}  // namespace stemzoo::model_file
