#include "adapters/command/argument_template.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::adapters {

namespace {

Delivery delivery(std::vector<Recipient> recipients, std::string sender = "alice@example.org") {
    Delivery made;
    made.key = {ItemId{12}, Epoch{3}};
    made.sender = std::move(sender);
    made.recipients = std::move(recipients);
    made.envelopeId = "QQ314159";
    return made;
}

const Recipient kBob{1, "bob@legacy.example", "BOB"};
const Recipient kCarol{2, "carol@legacy.example", ""};

std::string joined(const Result<std::vector<std::string>>& filled) {
    if (!filled.ok()) return "error: " + filled.error().text;
    std::string text;
    for (const std::string& each : *filled) text += "[" + each + "]";
    return text;
}

std::string expanded(const std::vector<std::string>& arguments, const Delivery& mail, bool several = false) {
    const auto made = ArgumentTemplate::parse(arguments, {"MAILER-DAEMON", "gw.example", several});
    if (!made.ok()) return "no template: " + made.error().text;
    ArgumentValues values{&mail, "<1@x>", 77};
    return joined(made->expand(values));
}

}  // namespace

TEST(ArgumentTemplate, FillsInTheValues) {
    EXPECT_EQ(
        expanded({"-f{sender}", "{recipient}", "{address}", "{local_part}", "{domain}"}, delivery({kBob})),
        "[-falice@example.org][BOB][bob@legacy.example][bob][legacy.example]");
    EXPECT_EQ(expanded({"{item}.{attempt}", "{message_id}", "{size}", "{hostname}", "{envelope_id}"},
                       delivery({kBob})),
              "[12.3][<1@x>][77][gw.example][QQ314159]");
    EXPECT_EQ(expanded({"{sender}"}, delivery({kBob}, "")), "[MAILER-DAEMON]");
    EXPECT_EQ(expanded({"{{literal}}", "", "plain"}, delivery({kBob})), "[{literal}][][plain]");
}

TEST(ArgumentTemplate, OnceForEachRecipient) {
    EXPECT_EQ(expanded({"--", "{recipients...}"}, delivery({kBob, kCarol}), true),
              "[--][BOB][carol@legacy.example]");
    EXPECT_EQ(expanded({"-t={addresses...}", "end"}, delivery({kBob, kCarol}), true),
              "[-t=bob@legacy.example][-t=carol@legacy.example][end]");
}

TEST(ArgumentTemplate, SaysWhatIsWrongWithItself) {
    const std::pair<const char*, const char*> cases[] = {
        {"{nonsense}", "{nonsense} is not known"},      {"{recipient}", "{recipient} names one recipient"},
        {"{sender", "a '{' without its '}'"},           {"sender}", "a '}' without its '{'"},
        {"{recipients...}{addresses...}", "two {...}"},
    };
    for (const auto& [text, wanted] : cases)
        EXPECT_NE(expanded({text}, delivery({kBob}), true).find(wanted), std::string::npos)
            << expanded({text}, delivery({kBob}), true);
}

TEST(ArgumentTemplate, AValueIsNeverAnOption) {
    const Recipient option{1, "-oQ/tmp@legacy.example", ""};
    const Delivery mail = delivery({option}, "-oX");
    EXPECT_NE(expanded({"{recipient}"}, mail).find("would be an option"), std::string::npos);
    EXPECT_NE(expanded({"-f", "{sender}", "--", "x"}, mail).find("would be an option"), std::string::npos);
    EXPECT_EQ(expanded({"--", "{recipient}"}, mail), "[--][-oQ/tmp@legacy.example]");
    EXPECT_EQ(expanded({"-f{sender}"}, mail), "[-f-oX]") << "it began with a dash before";
    // A "--" that a value makes is none.
    EXPECT_NE(expanded({"{recipient}", "{recipient}"}, delivery({{1, "--", ""}})).find("would be an option"),
              std::string::npos);
    const auto made = ArgumentTemplate::parse({"x", "{recipient}"}, {"", "", false});
    EXPECT_TRUE(made->refuses(option));
    EXPECT_FALSE(made->refuses(kBob));
}

TEST(ArgumentTemplate, AValueHoldsNoControlCharacterAndIsNotEndless) {
    for (const std::string& bad :
         {std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string(1001, 'x')})
        EXPECT_NE(expanded({"--", "{recipient}"}, delivery({{1, "x@y", bad}})).find("can not stand"),
                  std::string::npos);
    EXPECT_EQ(expanded({"--", "{recipient}"}, delivery({{1, "x@y", "$(reboot); `x` | a b \xff"}})),
              "[--][$(reboot); `x` | a b \xff]")
        << "no shell reads it";
}

}  // namespace postern::adapters
