#pragma once
// Standard input as commands read it. Thread rule: one thread.

#include <cstdint>
#include <cstdio>
#include <istream>
#include <memory>
#include <string>

#include "connector/admin/control.h"

namespace postern::cli {

// All of it, in pieces as large as asked for.
class InputBytes final : public admin::ByteStream {
  public:
    explicit InputBytes(std::istream& in) : in_(in) {}
    Result<std::size_t> read(char* into, std::size_t size) override;

  private:
    std::istream& in_;
};

// Up to a line with a single dot, whatever its line end; the rest is not read.
class InputUpToDot final : public admin::ByteStream {
  public:
    explicit InputUpToDot(std::istream& in) : in_(in) {}
    Result<std::size_t> read(char* into, std::size_t size) override;

  private:
    std::istream& in_;
    std::string line_;  // what of a line is not handed on yet
    bool lineStart_ = true;
    bool ended_ = false;
};

// A whole input, read to its end before anybody is asked to take it: a program such as cron may write for
// hours, and the service does not wait so long. In memory, or, when it is large, in a file without a name.
class Kept final : public admin::ByteStream {
  public:
    // Invalid beyond `most` bytes.
    static Result<std::unique_ptr<Kept>> all(admin::ByteStream& from, std::int64_t most);
    std::int64_t size() const { return size_; }  // bytes of all of it
    Result<std::size_t> read(char* into, std::size_t size) override;

  private:
    struct Close {
        void operator()(std::FILE* file) const { (void)std::fclose(file); }
    };
    Result<void> add(const char* bytes, std::size_t size);
    std::string memory_;  // the first bytes
    std::size_t at_ = 0;
    std::int64_t size_ = 0;
    std::unique_ptr<std::FILE, Close> file_;  // the others
};

// A line at a time, as soon as it is there, with CR LF: for a partner who waits for our answer.
class InputLines final : public admin::ByteStream {
  public:
    explicit InputLines(std::istream& in) : in_(in) {}
    Result<std::size_t> read(char* into, std::size_t size) override;

  private:
    std::istream& in_;
};

}  // namespace postern::cli
