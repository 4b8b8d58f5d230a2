#include "adapters/command/shell_words.h"

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/kit/drive.h"

namespace postern::adapters {

TEST(ShellWords, AValueInAShellsProgramIsFoundHoweverItIsWritten) {
    const std::vector<std::vector<std::string>> cases = {
        {"/bin/sh", "-c", "tool {local_part}"},
        {"/bin/sh", "-c", "{recipient}"},
        {"/bin/sh", "-ec", "tool '{local_part}'"},
        {"/bin/sh", "-c", "-e", "tool \"{sender}\""},
        {"/bin/sh", "-c", "--", "tool {sender}"},
        {"/bin/sh", "-e", "-c", "tool {sender}"},
        {"/bin/bash", "-o", "pipefail", "-c", "tool {sender} | wc"},
        {"/bin/bash", "--rcfile", "/etc/rc", "-c", "tool {sender}"},
        {"/bin/bash", "-c", "-o", "pipefail", "tool {sender}"},
        {"/bin/bash", "+x", "-lc", "{{x}} {message_id}"},
        {"/usr/bin/dash", "-c", "{recipients...}"},
        {"/usr/bin/zsh", "-c", "tool {item}"},
        {"/usr/bin/ksh93", "-c", "tool {domain}"},
        {"/usr/bin/fish", "--command=tool {domain}"},
        {"/bin/busybox", "sh", "-c", "tool {sender}"},
        {"/bin/busybox", "ash", "-c", "tool {sender}"},
        {"/usr/bin/env", "-i", "sh", "-c", "tool {sender}"},
        {"/usr/bin/timeout", "10", "/bin/sh", "-c", "tool {sender}"},
        {R"(C:\Windows\System32\cmd.exe)", "/c", "tool", "{sender}"},
        {"C:/Windows/System32/CMD", "/c", "tool", "{sender}"},
        {"powershell.exe", "-Command", "tool", "{sender}"},
        {"powershell.exe", "-NoProfile", "-File", "{sender}"},
        {"/usr/bin/pwsh", "-c", "tool {sender}"},
    };
    for (const auto& command : cases)
        EXPECT_TRUE(valueInShellProgram(command)) << testing::PrintToString(command);
}

TEST(ShellWords, WhatAShellDoesNotReadAsAProgramIsNone) {
    const std::vector<std::vector<std::string>> cases = {
        {"/bin/sh", "-c", "exec tool \"$1\"", "sh", "{local_part}"},
        {"/bin/sh", "-c", "exec tool \"$@\"", "sh", "-c", "{recipients...}"},
        {"/bin/sh", "-c", "tool ${{HOME}}", "sh", "{sender}"},
        {"/bin/sh", "/usr/local/bin/script", "-c", "{sender}"},
        {"/bin/sh", "/usr/local/bin/script", "{sender}"},
        {"/bin/sh", "-c"},
        {"/bin/sh"},
        {"/usr/local/bin/tool", "-c", "{sender}"},
        {"/usr/local/bin/shell-of-mine", "-c", "{sender}"},
        {"/usr/local/bin/cmd", "{sender}"},
        {"powershell.exe", "-NoProfile", "-File", R"(C:\tool.ps1)", "{sender}"},
        {"/usr/bin/pwsh", "-f", "/usr/local/bin/tool.ps1", "{sender}"},
    };
    for (const auto& command : cases)
        EXPECT_FALSE(valueInShellProgram(command)) << testing::PrintToString(command);
}

TEST(ShellWords, APipeIntoAShellsProgramIsNoConfiguration) {
    const auto made = [](const std::string& command) {
        return tests::makeKind("pipe",
                               {{"folder", tests::onDrive("/x")}, {"command", tests::onDrive(command)}},
                               tests::kRigContext);
    };
    const auto wrong = made("/bin/sh\n-c\nlogger {local_part}");
    ASSERT_FALSE(wrong.ok());
    EXPECT_NE(
        tests::offDrive(wrong.error().text).find("command: a value of a mail in the program of /bin/sh -c"),
        std::string::npos)
        << wrong.error().text;
    EXPECT_TRUE(made("/bin/sh\n-c\nlogger \"$1\"\nsh\n{local_part}").ok());
}

}  // namespace postern::adapters
