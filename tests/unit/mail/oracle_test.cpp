// GMime as a second opinion: our scanner must find the same parts, with the same bytes, in well-formed mail.

#include <random>

#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include "mail/structure.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail {
namespace {

using tests::corpusMail;
using tests::corpusNames;
using tests::wire;

struct Leaf {
    std::string type, bytes;
    bool operator==(const Leaf&) const = default;
};

void collect(GMimeObject* object, std::vector<Leaf>& leaves) {
    if (GMIME_IS_MULTIPART(object)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); ++i)
            collect(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), leaves);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (inner != nullptr) collect(g_mime_message_get_mime_part(inner), leaves);
    } else if (GMIME_IS_PART(object)) {
        GMimeContentType* type = g_mime_object_get_content_type(object);
        char* name = g_mime_content_type_get_mime_type(type);
        GMimeStream* stream = g_mime_stream_mem_new();
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(object)), stream);
        const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        leaves.push_back({name, std::string(reinterpret_cast<const char*>(bytes->data), bytes->len)});
        g_object_unref(stream);
        g_free(name);
    }
}

std::vector<Leaf> byGMime(const std::string& bytes) {
    static const bool started = [] { return g_mime_init(), true; }();
    (void)started;
    GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
    std::vector<Leaf> leaves;
    if (message != nullptr) {
        collect(g_mime_message_get_mime_part(message), leaves);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    return leaves;
}

std::vector<Leaf> byUs(const std::string& bytes) {
    StringSource source(bytes);
    const auto structure = readStructure(source, Bounds());
    EXPECT_TRUE(structure.ok());
    std::vector<Leaf> leaves;
    for (const Entity& e : structure->entities) {
        if (!e.children.empty()) continue;
        Leaf leaf{e.type, ""};
        EXPECT_TRUE(
            decodeRange({&source, e.body, e.end, e.encoding}, [&](std::string_view piece) -> Result<void> {
                leaf.bytes += piece;
                return {};
            }).ok());
        leaves.push_back(std::move(leaf));
    }
    return leaves;
}

void expectSame(const std::string& bytes, const std::string& name) {
    const auto wanted = byGMime(bytes);
    const auto got = byUs(bytes);
    ASSERT_EQ(got.size(), wanted.size()) << name;
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].type, wanted[i].type) << name << " part " << i;
        EXPECT_EQ(got[i].bytes, wanted[i].bytes) << name << " part " << i;
    }
}

TEST(Oracle, CorpusHasTheSameParts) {
    for (const std::string& name : corpusNames()) expectSame(corpusMail(name), name);
}

std::string randomPart(std::mt19937& random, int depth, int& counter) {
    const unsigned kind = depth > 4 ? random() % 3 : random() % 5;
    if (kind == 0)
        return "Content-Type: text/plain; charset=utf-8\n\nline " + std::to_string(random()) + "\n\nend\n";
    if (kind == 1)
        return "Content-Type: application/octet-stream; name=x\nContent-Transfer-Encoding: base64\n\n" +
               std::string(4 * (random() % 30), 'Q') + "\n";
    if (kind == 2)
        return "Content-Type: text/html\nContent-Transfer-Encoding: "
               "quoted-printable\n\n<p>a=3Db=\nc</p>\n--x\n";
    if (kind == 3)
        return "Content-Type: message/rfc822\n\nSubject: inner\n" + randomPart(random, depth + 1, counter);
    const std::string boundary = "=_" + std::to_string(++counter);
    std::string out = "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\n\npreamble\n";
    const unsigned count = 1 + random() % 4;
    for (unsigned i = 0; i < count; ++i)
        out += "--" + boundary + "\n" + randomPart(random, depth + 1, counter);
    return out + "--" + boundary + "--\nepilogue\n";
}

TEST(Oracle, RandomTreesHaveTheSameParts) {
    std::mt19937 random(11);
    for (int run = 0; run < 2000; ++run) {
        int counter = 0;
        const std::string mail = wire("From: a@b\nMIME-Version: 1.0\n" + randomPart(random, 0, counter));
        expectSame(mail, mail);
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
}

}  // namespace
}  // namespace postern::mail
