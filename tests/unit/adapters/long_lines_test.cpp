// No line is longer than a reader's screen, in sets of two bytes a letter too.

#include "adapters/long_lines.h"

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/legacy_readers.h"

namespace postern::adapters {
namespace {

TEST(LongLines, MhsReadersLoseNothingOfADoubleByteSet_Q124745) {
    std::string body = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    for (std::size_t word = 0; word < 100; ++word)
        body += "\xce\xb1\xce\xb2\xce\xb3" + std::string(word % 3, 'x') + " ";
    for (const char* text : {"\xce\xb1", "https://example.org/\xce\xb1"})
        for (int letter = 0; letter < 200; ++letter) body += text;
    tests::AdapterRig rig("mhs", {{"charset", "shift_jis"}});
    const Job job = rig.exportJob(rig.job(1, 1, body + "\r\n"));
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
    const auto read = tests::readSmf(tests::slurp(rig.folder() + "/" + rig.visible().at(0)));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_NE(read->body.find("\x83\xbf\x83\xc0\x83\xc1"), std::string::npos) << "in two bytes each";
}

}  // namespace
}  // namespace postern::adapters
