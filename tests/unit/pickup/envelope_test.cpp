#include "connector/pickup/envelope.h"

#include <gtest/gtest.h>

namespace postern::pickup {
namespace {

std::string shown(const std::string& block) {
    const auto envelope = readEnvelope(block, "gw.example.org");
    if (!envelope.ok()) return "error: " + envelope.error().text;
    std::string text = "<" + envelope->sender + ">";
    for (const Receiver& each : envelope->receivers) {
        text += " " + each.address;
        if (!each.notify.empty()) text += " notify=" + each.notify;
        if (!each.original.empty()) text += " original=" + each.original;
    }
    if (!envelope->ret.empty()) text += " ret=" + envelope->ret;
    if (!envelope->envelopeId.empty()) text += " envid=" + envelope->envelopeId;
    text += " |";
    for (const auto& field : envelope->header) text += " " + std::string(field.name);
    return text;
}

struct Case {
    const char* name;
    const char* block;
    const char* wanted;
};

TEST(PickupEnvelope, LeadingLinesOrTheHeader) {
    const Case cases[] = {
        {"envelope lines",
         "X-Sender: a@x.org\r\nX-Receiver: b@y.org\r\nX-Receiver: <c@y.org>\r\nTo: d@z.org\r\n",
         "<a@x.org> b@y.org c@y.org | To"},
        {"any case, Q201314", "x-sender: <a@x.org>\r\nx-receiver: b@y.org\r\nFrom: z@x.org\r\n",
         "<a@x.org> b@y.org | From"},
        {"beyond US-ASCII", "X-Sender: j\xc3\xb6rg@x.org\r\nX-Receiver: <\xd0\xb0@y.org>\r\n",
         "<j\xc3\xb6rg@x.org> \xd0\xb0@y.org |"},
        {"null sender", "X-Sender: <>\r\nX-Receiver: b@y.org\r\n", "<> b@y.org |"},
        {"parameters",
         "X-Sender: <a@x.org> BODY=7bit RET=HDRS ENVID=42 auth=<z>\r\n"
         "X-Receiver: <b@y.org> NOTIFY=NEVER ORcpt=rfc822;b@y.org\r\nX-EndOfInjectedXHeaders: 1\r\nTo: "
         "q@y.org\r\n",
         "<a@x.org> b@y.org notify=never original=rfc822;b@y.org ret=hdrs envid=42 | To"},
        {"only receivers", "X-Receiver: b@y.org\r\nFrom: a@x.org\r\n", "<a@x.org> b@y.org | From"},
        {"only a sender", "X-Sender: s@x.org\r\nFrom: a@x.org\r\nTo: b@y.org\r\n",
         "<s@x.org> b@y.org | From To"},
        {"behind other fields they are fields",
         "From: a@x.org\r\nX-Sender: z@z.org\r\nTo: b@y.org\r\nX-Receiver: c@z.org\r\n",
         "<a@x.org> b@y.org | From X-Sender To X-Receiver"},
        {"header", "From: A <a@x.org>\r\nTo: b@y.org,\r\n c@y.org\r\nCc: d@y.org\r\nBcc: e@y.org\r\n",
         "<a@x.org> b@y.org c@y.org d@y.org e@y.org | From To Cc Bcc"},
        {"several authors", "From: a@x.org, b@x.org\r\nSender: s@x.org\r\nTo: c@y.org\r\n",
         "<s@x.org> c@y.org | From Sender To"},
        {"several authors, no sender", "From: a@x.org, b@x.org\r\nTo: c@y.org\r\n",
         "error: From names several authors and there is no Sender"},
        {"nobody sends", "To: c@y.org\r\n", "error: it names no sender: an X-Sender line or From is wanted"},
        {"nobody gets it", "From: a@x.org\r\nTo: undisclosed-recipients:;\r\n",
         "error: it names no recipient: X-Receiver lines, To, Cc or Bcc are wanted"},
        {"two senders", "X-Sender: a@x.org\r\nX-Sender: b@x.org\r\n", "error: X-Sender stands there twice"},
        {"open bracket", "X-Sender: <a@x.org\r\n",
         "error: X-Sender: \"<a@x.org\": the bracket is not closed"},
        {"an empty receiver", "X-Sender: <>\r\nX-Receiver: <>\r\n", "error: X-Receiver: names nobody"},
        {"no guessing", "From: a@x.org\r\nTo: john smith@y.org\r\n",
         "error: To: \"john <smith@y.org>\": is not one address: a comma or a bracket is missing"},
        {"resent", "From: a@x.org\r\nTo: b@y.org\r\nResent-To: c@y.org\r\n",
         "<a@x.org> c@y.org | From To Resent-To"},
    };
    for (const Case& each : cases) EXPECT_EQ(shown(each.block), each.wanted) << each.name;
}

}  // namespace
}  // namespace postern::pickup
