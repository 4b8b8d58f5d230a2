#pragma once
// What a command answers: rows of named, typed values. The control socket carries them, the command line
// renders them as a table, tab-separated or as JSON; a command knows nothing of either.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace postern::admin {

struct Value {
    enum class Kind {
        None,    // not known, does not apply
        Text,    // UTF-8 as it came in: control characters are the renderer's business
        Number,  // a count or an id
        Size,    // bytes
        Time,    // milliseconds since 1970, UTC
        Flag,
    };
    Kind kind = Kind::None;
    std::string text;
    std::int64_t number = 0;

    Value() = default;
    Value(std::string value) : kind(Kind::Text), text(std::move(value)) {}
    Value(std::string_view value) : kind(Kind::Text), text(value) {}
    Value(const char* value) : kind(Kind::Text), text(value) {}
    Value(std::int64_t value) : kind(Kind::Number), number(value) {}
    Value(int value) : kind(Kind::Number), number(value) {}
    Value(bool value) : kind(Kind::Flag), number(value ? 1 : 0) {}
    Value(WallTime value) : kind(Kind::Time), number(toMillis(value)) {}
    Value(std::optional<WallTime> value) {
        if (value) *this = Value(*value);
    }
    static Value size(std::int64_t bytes) {
        Value value(bytes);
        value.kind = Kind::Size;
        return value;
    }
    bool operator==(const Value&) const = default;
};

// Names are stable: scripts read them. Order is the order of columns.
struct Record {
    std::vector<std::pair<std::string, Value>> fields;

    Record& add(std::string name, Value value) {
        fields.emplace_back(std::move(name), std::move(value));
        return *this;
    }
    const Value* find(std::string_view name) const;
    std::string_view text(std::string_view name) const;  // "" when missing or not a text
    bool operator==(const Record&) const = default;
};

// Takes one row at a time, so that a list of a million rows is never in memory. An error stops the command.
using RowSink = std::function<Result<void>(const Record&)>;

}  // namespace postern::admin
