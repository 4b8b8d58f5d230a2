#include "connector/admin/wire.h"

#include <cstdio>
#include <map>

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>

#include "base/text.h"

namespace postern::admin {

namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Object;

constexpr std::size_t kDepth = 8;  // deeper nesting is nobody's request

Result<Object::Ptr> parseObject(std::string_view line) {
    try {
        Poco::JSON::Parser parser(new Poco::JSON::ParseHandler(true));
        parser.setDepth(kDepth);
        return parser.parse(std::string(line)).extract<Object::Ptr>();
    } catch (const std::exception&) {
        return fail(Errc::Invalid, "the line is not a JSON object");
    }
}

std::string textOf(const Object::Ptr& object, const std::string& key) {
    const Var value = object->get(key);
    return value.isString() ? value.extract<std::string>() : std::string();
}

bool flagOf(const Object::Ptr& object, const std::string& key) {
    const Var value = object->get(key);
    return value.isBoolean() && value.extract<bool>();
}

// {"time":...} and {"bytes":...} keep their kind across the wire.
std::string valueJson(const Value& value) {
    switch (value.kind) {
        case Value::Kind::None: return "null";
        case Value::Kind::Text: return jsonString(value.text);
        case Value::Kind::Number: return std::to_string(value.number);
        case Value::Kind::Size: return "{\"bytes\":" + std::to_string(value.number) + "}";
        case Value::Kind::Time: return "{\"time\":" + std::to_string(value.number) + "}";
        case Value::Kind::Flag: break;
    }
    return value.number != 0 ? "true" : "false";
}

Value valueOf(const Var& value) {
    if (value.isEmpty()) return {};
    if (value.isString()) return Value(value.extract<std::string>());
    if (value.isBoolean()) return Value(value.extract<bool>());
    if (value.isInteger()) return Value(value.convert<std::int64_t>());
    const auto& object = value.extract<Object::Ptr>();
    if (object->has("time")) return Value(fromMillis(object->getValue<std::int64_t>("time")));
    return Value::size(object->getValue<std::int64_t>("bytes"));
}

Record recordOf(const Object::Ptr& object) {
    Record record;
    for (const std::string& name : object->getNames()) record.add(name, valueOf(object->get(name)));
    return record;
}

Errc codeOf(std::string_view name) {
    for (int code = 0; code <= static_cast<int>(Errc::Internal); ++code)
        if (errcName(static_cast<Errc>(code)) == name) return static_cast<Errc>(code);
    return Errc::Internal;
}

}  // namespace

std::string jsonString(std::string_view text) {
    const std::string safe = validUtf8(text) ? std::string(text) : escapeLine(text, text.size() * 4);
    std::string out = "\"";
    for (const char c : safe) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (byte < 0x20 || byte == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", byte);
            out += code;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

Result<std::map<std::string, std::string>> parseFields(std::string_view text) {
    POSTERN_LET(object, parseObject(text));
    std::map<std::string, std::string> fields;
    for (const std::string& name : object->getNames()) {
        const Var value = object->get(name);
        if (!value.isString()) return fail(Errc::Invalid, "\"" + escapeLine(name, 60) + "\" must be a text");
        fields[name] = value.extract<std::string>();
    }
    return fields;
}

std::string recordJson(const Record& record) {
    std::string line = "{";
    for (const auto& [name, value] : record.fields) {
        line += (line.size() > 1 ? "," : "") + jsonString(name) + ":";
        switch (value.kind) {
            case Value::Kind::Time: line += jsonString(formatUtc(fromMillis(value.number))); break;
            case Value::Kind::Size: line += std::to_string(value.number); break;
            default: line += valueJson(value);
        }
    }
    return line + "}";
}

std::string requestLine(const Request& request) {
    std::string line = "{\"verb\":" + jsonString(request.verb) + ",\"who\":" + jsonString(request.who);
    if (request.body) line += ",\"body\":true";
    line += ",\"fields\":{";
    bool first = true;
    for (const auto& [name, value] : request.fields) {
        line += (first ? "" : ",") + jsonString(name) + ":" + jsonString(value);
        first = false;
    }
    return line + "}}";
}

Result<Request> parseRequest(std::string_view line) {
    POSTERN_LET(object, parseObject(line));
    Request request;
    try {
        request.verb = textOf(object, "verb");
        request.who = textOf(object, "who");
        request.body = flagOf(object, "body");
        if (const Object::Ptr fields = object->getObject("fields"))
            for (const std::string& name : fields->getNames()) request.fields[name] = textOf(fields, name);
    } catch (const std::exception&) {
        return fail(Errc::Invalid, "the request has a field of the wrong type");
    }
    if (request.verb.empty()) return fail(Errc::Invalid, "the request has no \"verb\"");
    return request;
}

std::string rowLine(const Record& record) {
    std::string line = "{\"row\":{";
    bool first = true;
    for (const auto& [name, value] : record.fields) {
        line += (first ? "" : ",") + jsonString(name) + ":" + valueJson(value);
        first = false;
    }
    return line + "}}";
}

std::string endLine(const Result<void>& result) {
    if (result.ok()) return "{\"ok\":true}";
    return "{\"ok\":false,\"code\":" + jsonString(errcName(result.error().code)) +
           ",\"error\":" + jsonString(result.error().text) + "}";
}

Result<ResponseLine> parseResponse(std::string_view line) {
    POSTERN_LET(object, parseObject(line));
    ResponseLine response;
    try {
        if (const Object::Ptr row = object->getObject("row")) {
            response.row = recordOf(row);
        } else if (!flagOf(object, "ok")) {
            response.end = fail(codeOf(textOf(object, "code")), textOf(object, "error"));
        }
    } catch (const std::exception&) {
        return fail(Errc::Invalid, "the service's answer was not understood");
    }
    return response;
}

}  // namespace postern::admin
