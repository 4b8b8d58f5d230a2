#pragma once
// A connection to the store's database and its statements, without a type of any engine: SQLite stands behind
// it (sqlite_session.cpp), another engine can. Errors stick to a Statement and come out of finish(), so that
// a loop over rows reads like one.
//
// Thread rule: a Session and its Statements belong to one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace postern::store {

// Bytes that are not text: bound as a blob.
struct Blob {
    std::string_view bytes;
};

class Session;

// A running statement, borrowed from its Session's cache; it goes back, reset, when it is destroyed.
// REQUIRES: the Session outlives it.
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    bool next();  // true: a row stands ready. false: no more rows, or an error that finish() reports
    // The first error of binding or stepping, if any. A statement that writes is run to its end first, so
    // that the rest of its RETURNING rows holds nothing open.
    Result<void> finish();

    // Columns of the row, from 0. Views live until the next call of next() or the end of the Statement.
    std::int64_t integer(int column) const;
    std::string_view text(int column) const;  // also blobs; NULL reads as empty
    bool isNull(int column) const;

  private:
    friend class Session;
    struct Impl;  // an entry of the cache
    explicit Statement(Impl* impl) : impl_(impl) {}
    Impl* impl_;
};

class Session {
  public:
    virtual ~Session();

    // Prepares (once per text) and binds ?1, ?2, ... `sql` must live as long as the program (a literal). The
    // arguments are copied.
    template <class... Args>
    Statement query(const char* sql, const Args&... args) {
        return start(sql, Arguments::Copied, args...);
    }

    // Runs to the end; the number of rows inserted, changed or deleted. The arguments are not copied.
    template <class... Args>
    Result<std::int64_t> run(const char* sql, const Args&... args) {
        Statement statement = start(sql, Arguments::Borrowed, args...);
        while (statement.next()) {
        }
        POSTERN_TRY(statement.finish());
        return changes(statement);
    }

    // The first column of the only row; NotFound when there is none.
    template <class... Args>
    Result<std::int64_t> one(const char* sql, const Args&... args) {
        Statement statement = start(sql, Arguments::Borrowed, args...);
        const bool found = statement.next();
        const std::int64_t value = found ? statement.integer(0) : 0;
        POSTERN_TRY(statement.finish());
        if (!found) return fail(Errc::NotFound, "no such row");
        return value;
    }

  protected:
    Session();
    struct Connection;  // the engine's part
    std::unique_ptr<Connection> connection_;

  private:
    friend class Statement;
    enum class Arguments { Copied, Borrowed };  // borrowed: they outlive the statement

    template <class... Args>
    Statement start(const char* sql, Arguments arguments, const Args&... args) {
        Statement statement = prepare(sql, arguments);
        int index = 0;
        (bindAny(statement, ++index, args), ...);
        return statement;
    }
    Statement prepare(const char* sql, Arguments arguments);
    std::int64_t changes(const Statement& statement) const;
    static void bind(Statement& statement, int index, std::int64_t value);
    static void bind(Statement& statement, int index, std::string_view value);
    static void bind(Statement& statement, int index, Blob value);
    static void bindNull(Statement& statement, int index);

    template <class T>
    static void bindAny(Statement& statement, int index, const T& value) {
        if constexpr (std::is_integral_v<T>) {
            bind(statement, index, static_cast<std::int64_t>(value));
        } else if constexpr (std::is_same_v<T, Blob>) {
            bind(statement, index, value);
        } else if constexpr (std::is_convertible_v<T, std::string_view>) {
            bind(statement, index, std::string_view(value));
        } else if constexpr (std::is_same_v<T, std::nullopt_t>) {
            bindNull(statement, index);
        } else if constexpr (requires { value.has_value(); }) {
            value ? bindAny(statement, index, *value) : bindNull(statement, index);
        } else {
            bind(statement, index, value.value);  // a strong id
        }
    }
};

// Can not write. Store::read gives it one consistent snapshot; StoreReader one for each statement.
class ReadSession : public Session {};

// The writer's own; every change of the store happens inside its group-commit transaction (Store::write).
class WriteSession : public Session {};

}  // namespace postern::store
