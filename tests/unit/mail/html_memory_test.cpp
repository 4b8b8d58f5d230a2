// What reading takes of memory, counted where it is asked for: a program of its own, because it stands
// in for the C++ library's new and delete.
#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "mail/mime.h"

namespace {

std::size_t inUse = 0, peak = 0;

void* counted(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    inUse += malloc_usable_size(memory);
    peak = std::max(peak, inUse);
    return memory;
}

void freed(void* memory) {
    if (memory != nullptr) inUse -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(std::malloc(size == 0 ? 1 : size));
}
void operator delete(void* memory) noexcept {
    freed(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    freed(memory);
}

namespace postern::mail {
namespace {

constexpr std::size_t kSize = 4'000'000;

std::string repeated(const std::string& piece) {
    std::string out;
    while (out.size() < kSize) out += piece;
    return out;
}

// Bytes at the most while `html` is read, the mail itself not counted.
std::size_t peakOf(const std::string& html) {
    StringSource source("From: a@b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html);
    const std::size_t before = inUse;
    peak = inUse;
    const auto message = readMessage(source);
    EXPECT_TRUE(message.ok() && !message->text.empty());
    return peak - before;
}

TEST(HtmlMemory, IsASmallMultipleOfTheMail) {
    const std::pair<const char*, std::string> cases[] = {
        {"breaks", repeated("x<br>")},
        {"breaks in a quotation", "<blockquote>" + repeated("x<br>")},
        {"breaks in a cell", "<table><tr><td>a<td>" + repeated("x<br>")},
        {"breaks in a cell of many rows", "<table><tr><td rowspan=1000>" + repeated("x<br>") + "<td>"},
        {"cells", "<table><tr>" + repeated("<td>x")},
        {"wide cells of many rows",
         "<table>" + repeated("<tr><td colspan=19><td colspan=20 rowspan=999>x<br>y")},
        {"tables inside each other", repeated("<table><tr><td>x")},
        {"items", repeated("<li>x")},
        {"lists", repeated("<ul><li>x")},
        {"preformatted", "<pre>" + repeated("x\n")},
        {"preformatted in a cell", "<table><td><pre>" + repeated("x\n")},
        {"a heading that never ends", "<h1>" + repeated("x<br>")},
    };
    for (const auto& [name, html] : cases) EXPECT_LT(peakOf(html), 12 * kSize) << name;
}

// Each mail with two subjects left something behind, until the gateway stopped.
TEST(ReadingMemory, Q134371_AHundredThousandMailsWithTwoSubjectsLeaveNothing) {
    const std::string mail =
        "From: a@b\r\nSubject: first\r\nSubject: =?utf-8?Q?second_and_longer_than_any_small_string?=\r\n"
        "Subject: third\r\n\r\nx\r\n";
    const auto read = [&] {
        StringSource source(mail);
        const auto message = readMessage(source);
        return message.ok() && message->subject == "first";
    };
    ASSERT_TRUE(read());  // what is made once is made now
    const std::size_t before = inUse;
    for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(read());
    EXPECT_EQ(before, inUse);
}

}  // namespace
}  // namespace postern::mail
