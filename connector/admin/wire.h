#pragma once
// The lines of the control socket (control.h) to and from what they mean. Lines are JSON objects without
// their line end.

#include <optional>
#include <string>
#include <string_view>

#include "connector/admin/control.h"

namespace postern::admin {

// A JSON string with its quotes. What is not UTF-8 stands as \xHH in it, so that the line is JSON always.
std::string jsonString(std::string_view text);

std::string requestLine(const Request& request);
Result<Request> parseRequest(std::string_view line);  // Invalid

// The fields of a JSON object, all texts: what a request of the HTTP interface sends. Invalid.
Result<std::map<std::string, std::string>> parseFields(std::string_view object);

// A record for programs: one JSON object, times in RFC 3339, sizes in bytes. Names as in the record.
std::string recordJson(const Record& record);

std::string rowLine(const Record& record);
std::string endLine(const Result<void>& result);

// One line of a response: a row, or the end with its result.
struct ResponseLine {
    std::optional<Record> row;
    Result<void> end;
};
Result<ResponseLine> parseResponse(std::string_view line);  // Invalid

}  // namespace postern::admin
