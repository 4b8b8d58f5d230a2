#include "connector/admin/smtp_talk.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "connector/intake/awaited_answer.h"
#include "connector/intake/smtp_session.h"

namespace postern::admin {

namespace {

constexpr std::size_t kPiece = 65536;
constexpr std::size_t kLongestLine = 1 << 20;

config::Listener localListener(const config::Config& config) {
    config::Listener listener;
    listener.name = "submit";
    listener.limits.messageSize = config.submitMessageSize;
    listener.limits.recipients = 10'000;
    listener.limits.hops = config.hops;
    listener.submission = true;
    return listener;
}

// A session with a program of this machine, and the door behind it.
class Talk {
  public:
    Talk(const ServiceView& view, const Request& request)
        : view_(view),
          config_(view.config()),
          listener_(localListener(*config_)),
          session_(config_->hostname, listener_, view.acceptor, {request.who, {}, {}}, now()) {
        session_.greet();
    }

    // What is said to `bytes`.
    std::string say(std::string_view bytes) {
        session_.received(bytes, now());
        while (auto mail = session_.takeMail()) {
            mail->confirmed = true;  // whoever writes into our input reads our answer
            const auto answer = intake::AwaitedAnswer::ask(view_.acceptor, std::move(*mail)).wait();
            session_.answered(answer ? *answer : unknown(), now());
        }
        return read();
    }
    std::string read() { return std::exchange(session_.replies(), {}); }
    bool over() const { return session_.closing(); }

  private:
    static intake::Answer unknown() {
        return {451, "4.3.0", "the disk is too slow; it is not known whether the mail was stored", {}};
    }
    intake::Now now() const { return {view_.clock.now(), view_.clock.steady()}; }

    const ServiceView& view_;
    const std::shared_ptr<const config::Config> config_;
    const config::Listener listener_;
    intake::SmtpSession session_;
};

// Lines without their ends, LF or CR LF; a CR elsewhere stays where it is.
class Lines {
  public:
    explicit Lines(ByteStream& body) : body_(body), piece_(std::make_unique<char[]>(kPiece)) {}

    // Nothing at the end. What stands behind the last LF is no line: it was cut off.
    Result<std::optional<std::string>> next() {
        for (;;) {
            const auto newline = buffer_.find('\n', at_);
            if (newline != std::string::npos) {
                std::string line = buffer_.substr(at_, newline - at_);
                at_ = newline + 1;
                return ended(std::move(line));
            }
            buffer_.erase(0, std::exchange(at_, 0));
            if (buffer_.size() > kLongestLine)
                return fail(Errc::Invalid, "line " + std::to_string(number_ + 1) + " is longer than 1 MiB");
            POSTERN_LET(got, body_.read(piece_.get(), kPiece));
            if (got == 0) return std::optional<std::string>();
            buffer_.append(piece_.get(), got);
        }
    }
    int number() const { return number_; }

  private:
    std::optional<std::string> ended(std::string line) {
        ++number_;
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
    ByteStream& body_;
    const std::unique_ptr<char[]> piece_;
    std::string buffer_;
    std::size_t at_ = 0;
    int number_ = 0;
};

class Batch {
  public:
    Batch(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row)
        : view_(view), request_(request), lines_(body), row_(row) {}

    Result<void> run() {
        for (;;) {
            POSTERN_LET(line, lines_.next());
            if (!line) break;
            POSTERN_LET(more, command(*line));
            if (!more) break;
        }
        if (open_) POSTERN_TRY(tell(false, false, "the batch ends before its text"));
        if (mails_ == 0) return fail(Errc::Invalid, "there is no mail in the batch");
        return {};
    }

  private:
    // False: nothing behind it is read.
    Result<bool> command(const std::string& line) {
        const std::string verb = upperAscii(std::string_view(line).substr(0, line.find(' ')));
        if (verb == "HELO" || verb == "EHLO") {
            hello_ = "EHLO " + std::string(trim(std::string_view(line).substr(4)));
        } else if (verb == "MAIL") {
            POSTERN_TRY(begin(line));
        } else if (verb == "RCPT") {
            if (!open_) return stranger(line);
            say(line);
        } else if (verb == "DATA") {
            if (!open_) return stranger(line);
            return text();
        } else if (verb == "RSET") {
            open_ = false;
        } else if (verb == "QUIT") {
            return false;
        } else if (verb != "NOOP" && verb != "VRFY" && verb != "HELP" && !trim(line).empty()) {
            return stranger(line);
        }
        return true;
    }

    Result<bool> stranger(const std::string& line) {
        if (!open_) {
            ++mails_;
            began_ = lines_.number();
        }
        POSTERN_TRY(tell(
            false, false,
            "\"" + escapeLine(line, 60) + "\" does not belong here: this and all behind it is not taken"));
        return false;
    }

    Result<void> begin(const std::string& line) {
        if (open_) POSTERN_TRY(tell(false, false, "another MAIL comes before its text"));
        ++mails_;
        began_ = lines_.number();
        open_ = true;
        refusal_.clear();
        talk_ = std::make_unique<Talk>(view_, request_);
        say(hello_.empty() ? "EHLO " + view_.config()->hostname : hello_);
        say(line);
        return {};
    }

    // Only the first refusal counts: what follows it is a consequence.
    void say(const std::string& line) {
        if (!refusal_.empty()) return;
        const std::string reply = talk_->say(line + "\r\n");
        if (reply.find("\n4") != std::string::npos || reply.find("\n5") != std::string::npos ||
            reply.starts_with('4') || reply.starts_with('5'))
            refusal_ = std::string(trim(reply)) + " (to \"" + escapeLine(line, 100) + "\")";
    }

    Result<bool> text() {
        say("DATA");
        std::string last;
        for (;;) {
            POSTERN_LET(line, lines_.next());
            if (!line) {
                POSTERN_TRY(tell(false, false, "the batch ends inside its text"));
                return false;
            }
            if (refusal_.empty()) last = talk_->say(*line + "\r\n");
            if (*line == ".") break;
        }
        if (!refusal_.empty()) {
            POSTERN_TRY(tell(false, refusal_.starts_with('4'), refusal_));
        } else {
            POSTERN_TRY(tell(last.starts_with('2'), last.starts_with('4'), std::string(trim(last))));
        }
        return true;
    }

    Result<void> tell(bool stored, bool temporary, const std::string& text) {
        open_ = false;
        return row_(Record()
                        .add("mail", mails_)
                        .add("line", began_)
                        .add("stored", stored)
                        .add("again", temporary)
                        .add("text", text));
    }

    const ServiceView& view_;
    const Request& request_;
    Lines lines_;
    const RowSink& row_;
    std::string hello_;
    std::unique_ptr<Talk> talk_;
    std::string refusal_;  // of the mail in hand; empty: none yet
    bool open_ = false;    // MAIL was read, its text was not
    int mails_ = 0;
    int began_ = 0;
};

}  // namespace

Result<void> talkSmtp(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row) {
    Talk talk(view, request);
    POSTERN_TRY(row(Record().add("replies", talk.read())));
    const auto piece = std::make_unique<char[]>(kPiece);
    while (!talk.over()) {
        POSTERN_LET(got, body.read(piece.get(), kPiece));
        if (got == 0) break;
        POSTERN_TRY(row(Record().add("replies", talk.say({piece.get(), got}))));
    }
    return {};
}

Result<void> takeBatch(const ServiceView& view, const Request& request, ByteStream& body,
                       const RowSink& row) {
    return Batch(view, request, body, row).run();
}

}  // namespace postern::admin
