#pragma once
// The text of a message on its way into a packet: ends of lines become CR, and nothing that a stranger wrote
// is taken for what tossers write themselves (FORMATS.md 6.1, 6.4). Lengths do not change:
//
//   "--- text"     tear line: "-+- text"              " * Origin:"   " + Origin:"
//   "SEEN-BY:"     "SEEN+BY:"                         "AREA:" on the first line of a text: "AREA+"
//
// Byte 0x8D was once a soft line end and is lost at many readers: it is never written in a code page of one
// byte a character. Thread rule: one thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::adapters::ftn {

// What is written for byte 0x8D: a letter that looks or sounds like it, in US-ASCII. 0 where the charset has
// characters of several bytes, in which 0x8D may be a part of one.
char softCrSubstitute(std::string_view charset);

class TextWriter {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    TextWriter(Sink sink, char softCr) : sink_(std::move(sink)), softCr_(softCr) {}

    // Begins a text anew: what comes next is its first line.
    void begin();
    // Lines end with LF. Control characters but that are left out.
    Result<void> write(std::string_view bytes);
    // The text is over: an unfinished last line ends.
    Result<void> end();

    int substituted() const { return substituted_; }

  private:
    Result<void> endLine();
    Result<void> flushHeld();
    Result<void> put(std::string_view bytes);

    const Sink sink_;
    const char softCr_;
    std::string held_;     // the first bytes of a line, until it is known that they are harmless
    bool holding_ = true;  // at a line's beginning
    bool empty_ = true;    // of the current line
    bool firstLine_ = true;
    int substituted_ = 0;
};

// `bytes` without 0x8D, for names and subjects; adds to `substituted` how many there were.
std::string withoutSoftCr(std::string bytes, char softCr, int& substituted);

}  // namespace postern::adapters::ftn
