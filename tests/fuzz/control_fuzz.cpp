// Lines of the control socket, of both sides, and the objects that the HTTP interface takes: what is taken
// comes back the same when it is written and read again.
//
// Input: one line.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "connector/admin/wire.h"

namespace {

using namespace postern;

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

void checkRequest(std::string_view line) {
    const auto first = admin::parseRequest(line);
    if (!first.ok()) return;
    const std::string written = admin::requestLine(*first);
    mustHold(written.find('\n') == std::string::npos, "a request of two lines", written);
    const auto again = admin::parseRequest(written);
    mustHold(again.ok(), "a request that was written is not read", written);
    mustHold(again->verb == first->verb && again->who == first->who && again->body == first->body &&
                 again->fields == first->fields,
             "a request changes when read again", written);
}

void checkFields(std::string_view line) {
    const auto fields = admin::parseFields(line);
    if (!fields.ok()) return;
    std::string written = "{";
    for (const auto& [name, value] : *fields) {
        if (written.size() > 1) written += ",";
        written += admin::jsonString(name) + ":" + admin::jsonString(value);
    }
    const auto again = admin::parseFields(written + "}");
    mustHold(again.ok(), "fields that were written are not read", written);
    mustHold(*again == *fields, "fields change when read again", written);
}

void checkResponse(std::string_view line) {
    const auto response = admin::parseResponse(line);
    if (!response.ok() || !response->row) return;
    const std::string written = admin::rowLine(*response->row);
    const auto again = admin::parseResponse(written);
    mustHold(again.ok() && again->row, "a row that was written is not read", written);
    mustHold(admin::rowLine(*again->row) == written, "a row changes when read again", written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string line(reinterpret_cast<const char*>(data), size);
    checkRequest(line);
    checkFields(line);
    checkResponse(line);
    return 0;
}
