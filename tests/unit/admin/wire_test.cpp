#include "connector/admin/wire.h"

#include <gtest/gtest.h>

namespace postern::admin {
namespace {

const std::string kNasty("\"\\\n\t\x1b[31m\x7f\0x", 12);

TEST(Wire, ARequestComesBackAsItWas) {
    Request request;
    request.verb = "operate";
    request.who = "\u00e5sa";
    request.body = true;
    request.fields = {{"ids", "3-7"}, {"reason", kNasty}, {"", "empty name"}};
    const auto read = parseRequest(requestLine(request));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->verb, request.verb);
    EXPECT_EQ(read->who, request.who);
    EXPECT_TRUE(read->body);
    EXPECT_EQ(read->fields, request.fields);
    EXPECT_EQ(requestLine(request).find('\n'), std::string::npos);
}

TEST(Wire, ARowKeepsItsOrderAndTheKindsOfItsValues) {
    Record record;
    record.add("z", "text").add("a", kNasty).add("number", std::int64_t{-7}).add("big", INT64_MAX);
    record.add("size", Value::size(5'000'000'000)).add("at", fromMillis(1'700'000'000'123));
    record.add("none", Value()).add("yes", true).add("no", false).add("empty", "");
    const auto read = parseResponse(rowLine(record));
    ASSERT_TRUE(read.ok()) << read.error().text;
    ASSERT_TRUE(read->row);
    EXPECT_EQ(*read->row, record) << rowLine(record);
}

TEST(Wire, TheEndCarriesTheErrorAndItsCode) {
    const auto good = parseResponse(endLine({}));
    ASSERT_TRUE(good.ok());
    EXPECT_FALSE(good->row);
    EXPECT_TRUE(good->end.ok());
    for (int code = 0; code <= static_cast<int>(Errc::Internal); ++code) {
        const auto bad = parseResponse(endLine(fail(static_cast<Errc>(code), "why \"so\"")));
        ASSERT_TRUE(bad.ok());
        ASSERT_FALSE(bad->end.ok());
        EXPECT_EQ(static_cast<int>(bad->end.error().code), code);
        EXPECT_EQ(bad->end.error().text, "why \"so\"");
    }
}

TEST(Wire, WhatIsNotUtf8IsEscapedSoThatTheLineIsJson) {
    EXPECT_EQ(jsonString("a\xff"), "\"a\\\\xff\"");
    EXPECT_EQ(jsonString("\xc3\xa5"), "\"\xc3\xa5\"");
    EXPECT_TRUE(parseRequest(requestLine({"x", {{"k", "\xff\xfe"}}, "", false})).ok());
}

TEST(Wire, NonsenseIsRefused) {
    const std::string deep =
        "{\"verb\":\"x\",\"fields\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
    for (const std::string& line :
         {std::string(), std::string("x"), std::string("[]"), std::string("{}"), std::string("{\"verb\":5}"),
          std::string("{\"verb\":\"x\",\"fields\":5}"), std::string("{\"verb\":\"x\""), deep,
          std::string("null"), std::string("\0", 1)}) {
        const auto read = parseRequest(line);
        const bool refused = !read.ok() || read->fields.empty();
        EXPECT_TRUE(refused) << line.substr(0, 60);
    }
    EXPECT_FALSE(parseRequest(deep).ok());
    EXPECT_FALSE(parseResponse("{\"row\":{\"a\":[1]}}").ok());
    EXPECT_FALSE(parseResponse("{\"row\":{\"a\":{\"x\":1}}}").ok());
}

}  // namespace
}  // namespace postern::admin
