#pragma once
// Mail and artifacts on their way to whoever asked: onto a stream, or into a new file that only its owner
// reads. Thread rule: any thread.

#include <iosfwd>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/source.h"

namespace postern::cli {

// Io when the stream takes no more.
Result<void> copyOut(std::ostream& out, ByteSource& source);
// A file that is there already is never replaced: Exists. One that could not be written whole is removed.
Result<void> copyInto(const std::string& folder, const std::string& name, ByteSource& source);
// The folder and the name of a file as it was written on the command line; "." is the folder of a name alone.
std::pair<std::string, std::string> placeOf(const std::string& path);

}  // namespace postern::cli
