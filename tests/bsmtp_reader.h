#pragma once
// A strict reader of batch SMTP (RFC 2442): what it reads is what a careful server would have taken.

#include <string>
#include <string_view>
#include <vector>

namespace postern::tests {

struct BsmtpMail {
    std::string sender;
    std::vector<std::string> recipients;
    std::string text;  // unstuffed, lines ended as in the file
};

struct BsmtpBatch {
    std::string helo;
    std::vector<BsmtpMail> mails;
    std::string fault;  // empty: the batch is whole and right
};

// `lineEnd`: "\r\n" or "\n"; no other may occur.
inline BsmtpBatch readBsmtp(std::string_view bytes, std::string_view lineEnd) {
    BsmtpBatch batch;
    const auto complain = [&](const std::string& what) {
        if (batch.fault.empty()) batch.fault = what;
    };
    enum class At { Greeting, Mail, Rcpt, Text, End } at = At::Greeting;
    while (!bytes.empty() && batch.fault.empty()) {
        const std::size_t end = bytes.find('\n');
        if (end == std::string_view::npos) {
            complain("the last line has no end");
            break;
        }
        std::string_view line = bytes.substr(0, end + 1);
        bytes.remove_prefix(end + 1);
        if (!line.ends_with(lineEnd)) complain("a line ends otherwise");
        line.remove_suffix(std::min(line.size(), lineEnd.size()));
        if (line.find('\r') != std::string_view::npos) complain("a bare CR");
        if (line.size() > 998 + 1) complain("a line of " + std::to_string(line.size()) + " bytes");
        const std::string text(line);
        if (at == At::Text) {
            if (text == ".") {
                at = At::Mail;
            } else {
                batch.mails.back().text += text.starts_with('.') ? text.substr(1) : text;
                batch.mails.back().text += lineEnd;
            }
        } else if (at == At::Greeting) {
            if (!text.starts_with("HELO ") && !text.starts_with("EHLO ")) complain("no greeting: " + text);
            batch.helo = text.substr(std::min<std::size_t>(5, text.size()));
            at = At::Mail;
        } else if (at == At::Mail && text.starts_with("MAIL FROM:<")) {
            batch.mails.push_back({text.substr(11, text.find('>') - 11), {}, {}});
            at = At::Rcpt;
        } else if (at == At::Rcpt && text.starts_with("RCPT TO:<") && text.ends_with('>')) {
            batch.mails.back().recipients.push_back(text.substr(9, text.size() - 10));
        } else if (at == At::Rcpt && text == "DATA" && !batch.mails.back().recipients.empty()) {
            at = At::Text;
        } else if (at == At::Mail && text == "QUIT") {
            at = At::End;
        } else {
            complain("out of place: " + text);
        }
    }
    if (batch.fault.empty() && at != At::End) batch.fault = "the batch is cut off";
    return batch;
}

}  // namespace postern::tests
