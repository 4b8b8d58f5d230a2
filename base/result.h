#pragma once
// Errors as values. An Error is for us (the caller decides, the log tells); what becomes of a mail is an
// Outcome (adapters/outcome.h). Exceptions of libraries are caught at the edge and turned into these.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern {

enum class Errc {
    Invalid,      // the input breaks a rule; sending it again will not help
    NotFound,     // the named thing does not exist
    Exists,       // the name is taken
    Denied,       // permission
    TooLarge,     // over a limit that will not move; sending it again will not help
    Busy,         // somebody else holds it now
    NoSpace,      // disk, quota or inodes used up: temporary
    Io,           // the device or file system failed
    Corrupt,      // stored data is damaged
    Unavailable,  // a service, folder or tool is not usable now: temporary
    Stopped,      // we are shutting down
    Internal,     // a broken invariant of ours
};

std::string_view errcName(Errc code);

struct Error {
    Errc code = Errc::Internal;
    std::string text;  // UTF-8, one line, says what to do where that is known

    // "context: text", to say on the way up where it happened.
    Error within(std::string_view context) const { return Error{code, std::string(context) + ": " + text}; }
};

inline Error fail(Errc code, std::string text) {
    return Error{code, std::move(text)};
}

// The system error `number` as an Error: "context: No space left on device". Never allocates an id of its
// own.
Error systemError(int number, std::string_view context);

// A value or an Error. Shaped like std::expected, which neither compiler has in C++20.
// REQUIRES: ok() before value() or *, !ok() before error().
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const { return std::get<1>(state_); }
    T valueOr(T other) const& { return ok() ? value() : std::move(other); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

// Hands an Error on: POSTERN_TRY(file.sync());
#define POSTERN_TRY(expression)                                                                \
    do {                                                                                       \
        if (auto postern_try_ = (expression); !postern_try_.ok()) return postern_try_.error(); \
    } while (false)

// Binds a value or hands the Error on: POSTERN_LET(file, File::openRead(path));
#define POSTERN_LET_CONCAT2(a, b) a##b
#define POSTERN_LET_CONCAT(a, b) POSTERN_LET_CONCAT2(a, b)
#define POSTERN_LET(name, expression) \
    POSTERN_LET_AS(POSTERN_LET_CONCAT(postern_let_, __LINE__), name, expression)
#define POSTERN_LET_AS(holder, name, expression) \
    auto holder = (expression);                  \
    if (!holder.ok()) return holder.error();     \
    auto name = std::move(holder).value()

}  // namespace postern
