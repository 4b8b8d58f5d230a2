#pragma once
// Mails for the tests of letters, and what an adapter makes of one.

#include <string>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"

namespace postern::adapters {

inline const tests::SettingMap kCall{{"call", "N0AAA"}};

inline std::string mailWith(const std::string& header, const std::string& body) {
    return "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\n"
           "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n" +
           header + "\r\n" + body;
}

// The one artifact of a mail.
inline std::string exported(tests::AdapterRig& rig, const std::string& mail) {
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << tests::outcomeText(job);
    const auto files = tests::visibleFiles(rig.folder());
    for (const std::string& file : files)
        if (!tests::AdapterRig::isCompanion(file)) return tests::slurp(rig.folder() + "/" + file);
    return {};
}

inline std::string withFile(const std::string& name, const std::string& base64) {
    return mailWith("Subject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                    "--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b\r\nContent-Type: "
                    "application/octet-stream; name=\"" +
                        name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64 + "\r\n--b--\r\n");
}

}  // namespace postern::adapters
