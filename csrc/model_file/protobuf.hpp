// Reads protobuf: a message is a flat list of tagged fields
// (https://protobuf.dev/programming-guides/encoding).
//
// A message is a struct whose `fields()` says which fields it may have. What type a member has says
// how its field is written, and how often it may be given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "model_file/words.hpp"

namespace stemzoo::model_file::protobuf {

using Integer = std::int64_t;
using Text = std::string_view;  // UTF-8

// Bytes as they lie in the file.
struct Raw {
    std::string_view bytes;
};

template <typename Message, typename Member>
struct Field {
    unsigned number;
    std::string_view name;
    Member Message::* member;
};
template <typename Message, typename Member>
Field(unsigned, const char*, Member Message::*) -> Field<Message, Member>;

// A field that no message may have, and what it would be.
struct Refused {
    unsigned number;
    std::string_view name;
};

// Takes a number in varint encoding off the front of `bytes`.
inline std::uint64_t take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (unsigned shift = 0; at < bytes.size() && shift < 64; shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes[at++]);
        if (shift == 63 && byte > 1) break;  // more than 64 bits
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) {
            bytes.remove_prefix(at);
            return value;
        }
    }
    refuse("not an ONNX file, or one cut short: it ends inside a number");
}

// A little-endian number at the front of `bytes`, whatever this machine's order is.
template <typename Number>
Number little_endian(std::string_view bytes) {
    static_assert(sizeof(Number) == 4 || sizeof(Number) == 8);
    std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint64_t> bits = 0;
    for (std::size_t at = sizeof bits; at-- > 0;) {
        bits = bits << 8 | static_cast<unsigned char>(bytes[at]);
    }
    Number number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

// Reads messages, and counts how much of a file's allowance they use.
class Reader {
  public:
    enum class Wire : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

    struct Given {
        unsigned number;
        Wire wire;
        std::string_view payload;
    };

    Reader(std::size_t most_fields, std::size_t most_text)
        : most_fields_(most_fields), most_text_(most_text), left_(most_fields) {}

    template <typename Message>
    Message message(std::string_view bytes) {
        Message found;
        each_field(bytes, [&](const Given& given) {
            const auto is_taken = [&](const auto&... fields) {
                return (take(given, fields, found) || ...);
            };
            if (std::apply(is_taken, Message::fields())) return;
            refuse("not an ONNX file, or a damaged one: it has a field ", given.number);
        });
        return found;
    }

    template <typename Take>
    void each_field(std::string_view bytes, const Take& take_field) {
        while (!bytes.empty()) {
            count(1);
            const std::uint64_t tag = take_varint(bytes), number = tag >> 3;
            if (number == 0 || number >> 29 != 0) {
                refuse("not an ONNX file: ", number, " is no number of a field");
            }
            const auto wire = static_cast<Wire>(tag & 7);
            take_field(Given{static_cast<unsigned>(number), wire, take_payload(wire, bytes)});
        }
    }

  private:
    template <typename Message, typename Member>
    bool take(const Given& given, const Field<Message, Member>& field, Message& into) {
        if (given.number != field.number) return false;
        add(given, field.name, into.*field.member);
        return true;
    }

    template <typename Message>
    bool take(const Given& given, const Refused& field, Message&) {
        if (given.number != field.number) return false;
        refuse("it holds ", field.name, "; expected a plain network in one file");
    }

    // A field that fits once.
    template <typename T>
    void add(const Given& given, std::string_view name, std::optional<T>& into) {
        T found{};
        read(given, name, found);
        require_first(name, !into);
        into = std::move(found);
    }

    template <typename T>
    void add(const Given& given, std::string_view name, std::unique_ptr<T>& into) {
        auto found = std::make_unique<T>();
        read(given, name, *found);
        require_first(name, !into);
        into = std::move(found);
    }

    // A field that may come many times.
    template <typename T>
    void add(const Given& given, std::string_view name, std::vector<T>& into) {
        read(given, name, into.emplace_back());
    }

    // Numbers one by one or packed: readers take both.
    void add(const Given& given, std::string_view name, std::vector<Integer>& into) {
        require(given, name, given.wire == Wire::varint || given.wire == Wire::bytes);
        for (std::string_view rest = given.payload; !rest.empty();) into.push_back(integer(rest));
    }

    void add(const Given& given, std::string_view name, std::vector<float>& into) {
        require(given, name, given.wire == Wire::fixed32 || given.wire == Wire::bytes);
        for (std::string_view rest = given.payload; !rest.empty();) into.push_back(real(rest));
    }

    template <typename Message>
    void read(const Given& given, std::string_view name, Message& into) {
        require(given, name, given.wire == Wire::bytes);
        into = message<Message>(given.payload);
    }

    void read(const Given& given, std::string_view name, Text& into) {
        require(given, name, given.wire == Wire::bytes);
        const std::size_t size = given.payload.size();
        if (size > most_text_) {
            refuse("it has a text of ", size, " bytes; expected at most ", most_text_);
        }
        if (!is_utf8(given.payload)) {
            refuse("not an ONNX file, or a damaged one: a text is no UTF-8");
        }
        into = given.payload;
    }

    void read(const Given& given, std::string_view name, Raw& into) {
        require(given, name, given.wire == Wire::bytes);
        into.bytes = given.payload;
    }

    void read(const Given& given, std::string_view name, Integer& into) {
        require(given, name, given.wire == Wire::varint);
        std::string_view payload = given.payload;
        into = integer(payload);
    }

    void read(const Given& given, std::string_view name, float& into) {
        require(given, name, given.wire == Wire::fixed32);
        std::string_view payload = given.payload;
        into = real(payload);
    }

    static void require(const Given& given, std::string_view name, bool fits) {
        if (fits) return;
        refuse("not an ONNX file: '", name, "' comes as wire type ",
               static_cast<unsigned>(given.wire));
    }

    static void require_first(std::string_view name, bool fits) {
        if (!fits) refuse("not an ONNX file: '", name, "' is given twice where one fits");
    }

    Integer integer(std::string_view& bytes) {
        count(1);
        return static_cast<Integer>(take_varint(bytes));
    }

    float real(std::string_view& bytes) {
        count(1);
        if (bytes.size() < 4) {
            refuse("not an ONNX file, or one cut short: it ends inside a number");
        }
        const auto number = little_endian<float>(bytes);
        bytes.remove_prefix(4);
        return number;
    }

    static std::string_view take_payload(Wire wire, std::string_view& bytes) {
        const std::uint64_t size = payload_size(wire, bytes);
        if (size > bytes.size()) {
            refuse("not an ONNX file, or one cut short: a field runs past its end");
        }
        const std::string_view payload = bytes.substr(0, static_cast<std::size_t>(size));
        bytes.remove_prefix(payload.size());
        return payload;
    }

    // Takes the size off the front, where it stands there.
    static std::uint64_t payload_size(Wire wire, std::string_view& bytes) {
        std::string_view rest = bytes;
        switch (wire) {
            case Wire::varint:
                take_varint(rest);
                return bytes.size() - rest.size();
            case Wire::bytes:
                return take_varint(bytes);
            case Wire::fixed32:
                return 4;
            case Wire::fixed64:
                return 8;
        }
        refuse("not an ONNX file: unknown protobuf wire type ", static_cast<unsigned>(wire));
    }

    void count(std::size_t more) {
        if (more > left_) {
            refuse("it has more than ", most_fields_, " fields; no network needs so many");
        }
        left_ -= more;
    }

    std::size_t most_fields_, most_text_, left_;
};

}  // namespace stemzoo::model_file::protobuf
