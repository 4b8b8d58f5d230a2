#pragma once
// Standard input as commands read it. Thread rule: one thread.

#include <istream>

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

// A line at a time, as soon as it is there, with CR LF: for a partner who waits for our answer.
class InputLines final : public admin::ByteStream {
  public:
    explicit InputLines(std::istream& in) : in_(in) {}
    Result<std::size_t> read(char* into, std::size_t size) override;

  private:
    std::istream& in_;
};

}  // namespace postern::cli
