#include "connector/cli/sendmail_arguments.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::cli {
namespace {

std::string shown(const std::string& program, const std::string& line) {
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' '))
        words.push_back(word == "\"\"" ? "" : std::string(word));
    if (line.empty()) words.clear();
    const auto parsed = parseSendmail(program, words);
    if (!parsed.ok()) return "error: " + parsed.error().text;
    static constexpr const char* kModes[] = {"mail", "smtp", "queue", "nothing", "help"};
    std::string text = kModes[static_cast<int>(parsed->mode)];
    if (parsed->headerRecipients) text += " t";
    if (!parsed->dotEnds) text += " i";
    if (parsed->fromGiven) text += " f=" + parsed->from;
    for (const auto& [name, value] : {std::pair("F", parsed->fullName),
                                      {"N", parsed->notify},
                                      {"R", parsed->ret},
                                      {"V", parsed->envelopeId},
                                      {"B", parsed->body},
                                      {"C", parsed->configPath}})
        if (!value.empty()) text += " " + std::string(name) + "=" + value;
    for (const std::string& each : parsed->recipients) text += " [" + each + "]";
    return text;
}

struct Case {
    const char* program;
    const char* line;
    const char* wanted;
};

TEST(SendmailArguments, AsProgramsCallIt) {
    const Case cases[] = {
        {"sendmail", "u@x", "mail [u@x]"},
        {"sendmail", "-t", "mail t"},
        {"sendmail", "-ti", "mail t i"},
        {"sendmail", "-oi -t", "mail t i"},
        {"sendmail", "-o i -t", "mail t i"},
        {"sendmail", "-i -FCronDaemon -B8BITMIME -oem root",
         "mail i F=CronDaemon B=8bitmime [root]"},  // Debian's cron
        {"sendmail", "-t -i -f a@x", "mail t i f=a@x"},
        {"sendmail", "-fa@x -t", "mail t f=a@x"},
        {"sendmail", "-f <> u@x", "mail f=<> [u@x]"},
        {"sendmail", "-f \"\" u@x", "mail f= [u@x]"},
        {"sendmail", "-r a@x u@x", "mail f=a@x [u@x]"},
        {"sendmail", "-oem -oi -f a@x -N success,delay -R hdrs -- -odd@x u@x",
         "mail i f=a@x N=success,delay R=hdrs [-odd@x] [u@x]"},  // mutt
        {"sendmail", "-V id7 -N never u@x", "mail N=never V=id7 [u@x]"},
        {"sendmail", "-bm -i u@x", "mail i [u@x]"},
        {"sendmail", "-bs", "smtp"},
        {"sendmail", "-bp", "queue"},
        {"sendmail", "-bi", "nothing"},
        {"sendmail", "-I", "nothing"},
        {"sendmail", "-q", "nothing"},
        {"sendmail", "-q15m", "nothing"},
        {"sendmail", "-v -m -n -G -U -x -Ac -em -h5 -L tag -X log -p SMTP -O Timeout=1 -odq u@x",
         "mail [u@x]"},
        {"sendmail", "-C file -t", "mail t C=file"},
        {"sendmail", "--help", "help"},
        {"sendmail", "u@x -t", "mail [u@x] [-t]"},
        {"/usr/bin/mailq", "", "queue"},
        {"/usr/bin/postern-mailq", "", "queue"},
        {"newaliases", "", "nothing"},
        {"sendmail", "", "error: no recipient: name some, or say -t (see postern-sendmail --help)"},
        {"sendmail", "-f", "error: -f wants a value"},
        {"sendmail", "-tZ", "error: there is no option -Z (in \"-tZ\"; see postern-sendmail --help)"},
        {"sendmail", "--queue u@x",
         "error: there is no option -- (in \"--queue\"; see postern-sendmail --help)"},
        {"sendmail", "-bd", "error: -bd can not be done here: the service is posternd"},
        {"sendmail", "-bv u@x", "error: -bv can not be done here: see 'postern route test'"},
        {"sendmail", "-R some u@x", "error: -R takes full or hdrs, not \"some\""},
        {"sendmail", "-B BINARY u@x", "error: -B takes 8BITMIME or 7BIT, not \"BINARY\""},
    };
    for (const Case& each : cases) EXPECT_EQ(shown(each.program, each.line), each.wanted) << each.line;
}

}  // namespace
}  // namespace postern::cli
