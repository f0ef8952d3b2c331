// Protobuf's wire format: a message is a flat list of tagged fields
// (https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model_file/words.hpp"

namespace stemzoo::model_file::protobuf {

enum class Wire : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// A little-endian number of the file, whatever this machine's order is.
template <typename Number, typename Bits>
Number little_endian(std::string_view bytes) {
    static_assert(sizeof(Number) == sizeof(Bits));
    Bits bits = 0;
    for (std::size_t at = sizeof bits; at-- > 0;) {
        bits = static_cast<Bits>(bits << 8 | static_cast<unsigned char>(bytes[at]));
    }
    Number number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

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

// Reads messages, and counts how much of a file's allowance they use. `Messages` derives from this
// and has a function `take(field, message)` for every kind of message.
template <typename Messages>
class Reader {
  public:
    struct Field {
        std::uint32_t number;
        Wire wire;
        std::string_view payload;
    };

    Reader(std::size_t most_fields, std::size_t most_text)
        : most_fields_(most_fields), most_text_(most_text), left_(most_fields) {}

    template <typename Message>
    Message message(std::string_view bytes) {
        Message found;
        each_field(bytes, [&](const Field& field) { self().take(field, found); });
        return found;
    }

    template <typename Take>
    void each_field(std::string_view bytes, const Take& take) {
        while (!bytes.empty()) {
            count(1);
            const std::uint64_t tag = take_varint(bytes), number = tag >> 3;
            if (number == 0 || number >> 29 != 0) {
                refuse("not an ONNX file: ", number, " is no number of a field");
            }
            const auto wire = static_cast<Wire>(tag & 7);
            take(Field{static_cast<std::uint32_t>(number), wire, take_payload(wire, bytes)});
        }
    }

  protected:
    // A field that fits once.
    template <typename T>
    void once(const Field& field, std::string_view name, std::optional<T>& into) {
        set(name, into, value(field, name, static_cast<T*>(nullptr)));
    }

    template <typename T>
    void once(const Field& field, std::string_view name, std::unique_ptr<T>& into) {
        set(name, into, std::make_unique<T>(value(field, name, static_cast<T*>(nullptr))));
    }

    // Bytes as they lie in the file.
    void raw(const Field& field, std::string_view name, std::optional<std::string_view>& into) {
        require(field, name, field.wire == Wire::bytes);
        set(name, into, field.payload);
    }

    // A field that may come many times.
    template <typename T>
    void many(const Field& field, std::string_view name, std::vector<T>& into) {
        into.push_back(value(field, name, static_cast<T*>(nullptr)));
    }

    // Numbers one by one or packed: readers take both.
    void numbers(const Field& field, std::string_view name, std::vector<std::int64_t>& into) {
        require(field, name, field.wire == Wire::varint || field.wire == Wire::bytes);
        for (std::string_view rest = field.payload; !rest.empty();) into.push_back(integer(rest));
    }

    void numbers(const Field& field, std::string_view name, std::vector<double>& into) {
        require(field, name, field.wire == Wire::fixed32 || field.wire == Wire::bytes);
        for (std::string_view rest = field.payload; !rest.empty();) into.push_back(real(rest));
    }

  private:
    Messages& self() { return static_cast<Messages&>(*this); }

    template <typename Into, typename Value>
    static void set(std::string_view name, Into& into, Value&& value) {
        if (into) refuse("not an ONNX file: '", name, "' is given twice where one fits");
        into = std::forward<Value>(value);
    }

    std::string_view value(const Field& field, std::string_view name, std::string_view*) {
        require(field, name, field.wire == Wire::bytes);
        const std::size_t size = field.payload.size();
        if (size > most_text_) {
            refuse("it has a text of ", size, " bytes; expected at most ", most_text_);
        }
        if (!is_utf8(field.payload)) {
            refuse("not an ONNX file, or a damaged one: a text is no UTF-8");
        }
        return field.payload;
    }

    std::int64_t value(const Field& field, std::string_view name, std::int64_t*) {
        require(field, name, field.wire == Wire::varint);
        std::string_view payload = field.payload;
        return integer(payload);
    }

    double value(const Field& field, std::string_view name, double*) {
        require(field, name, field.wire == Wire::fixed32);
        std::string_view payload = field.payload;
        return real(payload);
    }

    template <typename Message>
    Message value(const Field& field, std::string_view name, Message*) {
        require(field, name, field.wire == Wire::bytes);
        return message<Message>(field.payload);
    }

    static void require(const Field& field, std::string_view name, bool fits) {
        if (fits) return;
        refuse("not an ONNX file: '", name, "' comes as wire type ",
               static_cast<unsigned>(field.wire));
    }

    std::int64_t integer(std::string_view& bytes) {
        count(1);
        return static_cast<std::int64_t>(take_varint(bytes));
    }

    double real(std::string_view& bytes) {
        count(1);
        if (bytes.size() < 4) {
            refuse("not an ONNX file, or one cut short: it ends inside a number");
        }
        const auto number = little_endian<float, std::uint32_t>(bytes);
        bytes.remove_prefix(4);
        return static_cast<double>(number);
    }

    static std::string_view take_payload(Wire wire, std::string_view& bytes) {
        std::string_view rest = bytes;
        std::uint64_t size = 0;
        switch (wire) {
            case Wire::varint:
                take_varint(rest);
                size = bytes.size() - rest.size();
                break;
            case Wire::bytes:
                size = take_varint(bytes);
                break;
            case Wire::fixed32:
                size = 4;
                break;
            case Wire::fixed64:
                size = 8;
                break;
            default:
                refuse("not an ONNX file: unknown protobuf wire type ",
                       static_cast<unsigned>(wire));
        }
        if (size > bytes.size()) {
            refuse("not an ONNX file, or one cut short: a field runs past its end");
        }
        const std::string_view payload = bytes.substr(0, static_cast<std::size_t>(size));
        bytes.remove_prefix(payload.size());
        return payload;
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
