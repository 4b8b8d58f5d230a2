#pragma once
// Limits on a message's shape, checked while it is read for the first time, before any of it is decoded.
// One bounded scanner both measures and finds the parts, so what was measured is what is read.
// Sources of the numbers: RELIABILITY 4.4. Thread rule: pure functions.

#include <cstdint>

#include "base/result.h"
#include "base/source.h"

namespace postern::mail {

struct Bounds {
    std::int64_t headerBlock = 256 * 1024;  // bytes, of the message and of each part
    std::int64_t header = 64 * 1024;        // bytes of one header with its continuation lines
    int headers = 1000;                     // in one block
    int groupDepth = 3;                     // of an address header: `g:` inside `g:`
    int depth = 48;                         // entities inside each other; 20 forwards as parts are 42
    int parts = 1000;                       // entities of all kinds
    int boundary = 256;                     // bytes of a boundary parameter
    int parameterPieces = 100;              // RFC 2231 name*0, name*1, ... of one header
};

struct Shape {
    std::int64_t bytes = 0;
    std::int64_t headerBytes = 0;  // the message's own header block
    int headers = 0;               // in it
    int parts = 0;                 // entities, multiparts among them
    int depth = 0;
    bool unterminated = false;  // some multipart lacks its final boundary
};

// Reads the message once, in pieces: memory does not grow with its size. A message over a bound is
// Errc::Invalid and the text names the bound with both numbers; errors of the source are passed on.
Result<Shape> measure(ByteSource& source, const Bounds& bounds = {});

}  // namespace postern::mail
