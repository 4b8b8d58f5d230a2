#pragma once
// Strict readers of the formats for which no program, or no quick one, exists to ask: Winlink B2F files, SMF
// messages of MHS, MMFF files of MS Mail, keyword files of the GroupWise API gateway. Written from the
// descriptions and not from the adapters: what is not perfect is an error that says where.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace postern::tests {

struct LegacyFile {
    std::string name, data;
};

// As a station reads it: header lines of US-ASCII, sections of exactly the sizes that it says, each with CRLF
// behind it, nothing behind the last.
struct B2fMessage {
    std::string id, from, subject, date, charset, type, mbo;
    std::vector<std::string> to, cc;
    std::string body;
    std::vector<LegacyFile> files;
};
Result<B2fMessage> readB2f(std::string_view bytes);

struct SmfMessage {
    std::string format;  // "SMF-70"
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<std::pair<std::string, std::string>> parcels;  // file, and its name
    std::string body;
    std::string field(std::string_view name) const;  // "" when it is missing
    std::vector<std::string> to() const;
};
Result<SmfMessage> readSmf(std::string_view bytes);

// `end` is how lines end.
struct MmffMessage {
    std::vector<std::string> to;
    std::string from, date, time, subject, text;
    std::vector<LegacyFile> files;
};
Result<MmffMessage> readMmff(std::string_view bytes, std::string_view end);

struct GwApiMessage {
    std::vector<std::pair<std::string, std::string>> keywords;  // upper case, and the value without its ";"
    struct Attachment {
        std::string current, original, size;
    };
    std::vector<Attachment> attachments;
    std::string keyword(std::string_view name) const;
    std::vector<std::string> to() const;  // CDBA of each
};
Result<GwApiMessage> readGwApi(std::string_view bytes);

}  // namespace postern::tests
