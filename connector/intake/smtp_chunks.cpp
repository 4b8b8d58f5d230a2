// BDAT (RFC 3030): text in counted pieces. Whatever a chunk is refused for, its bytes are read first, and
// none of them is ever taken for a command.

#include "base/log.h"
#include "base/text.h"
#include "connector/intake/smtp_session.h"

namespace postern::intake {

namespace {

constexpr std::size_t kMostDigits = 18;

struct Chunk {
    std::int64_t size = 0;
    bool last = false;
};

std::optional<Chunk> parseChunk(std::string_view argument) {
    const std::size_t space = std::min(argument.find(' '), argument.size());
    const std::string_view digits = argument.substr(0, space), word = trim(argument.substr(space));
    const bool plain = !digits.empty() && digits.size() <= kMostDigits &&
                       digits.find_first_not_of("0123456789") == std::string_view::npos;
    const bool last = equalsIgnoreCase(word, "LAST");
    if (!plain || (!last && !word.empty())) return std::nullopt;
    return Chunk{*parseInt(digits), last};
}

}  // namespace

// Behind a BDAT that can not be read nobody knows where the text ends: the session does.
void SmtpSession::onBdat(const Command& command) {
    const auto chunk = parseChunk(command.argument);
    if (!chunk) {
        refuse(501, "5.5.4", "say BDAT size or BDAT size LAST; closing");
        return close("chunk");
    }
    if (chunk->size / kReadOnFactor > listener_.limits.messageSize) {
        const Answer answer = tooLarge();
        refuse(answer.code, answer.enhanced, answer.text + "; closing");
        return close("size");
    }
    chunkSize_ = chunkLeft_ = chunk->size;
    lastChunk_ = chunk->last;
    phase_ = Phase::Chunk;
    beginChunk();
    if (chunkLeft_ == 0) endChunk();
}

void SmtpSession::beginChunk() {
    chunkRefusal_ = refusesChunk();
    if (!chunkRefusal_ && !transaction_->chunked) {
        transaction_->chunked = true;
        transaction_->lines.begin(listener_.limits.textLine);
        chunkRefusal_ = beginText();
    }
    if (chunkRefusal_) return clear();
    // Nothing of it need be kept when it will be too large.
    if (transaction_->size + chunkSize_ > listener_.limits.messageSize) refuseText(tooLarge());
}

std::optional<Answer> SmtpSession::refusesChunk() const {
    const bool lmtp = listener_.protocol == config::Protocol::Lmtp;
    if (!transaction_) return Answer{503, "5.5.1", "MAIL and RCPT come before BDAT"};
    if (transaction_->recipients.empty()) return Answer{lmtp ? 503 : 554, "5.5.1", "no valid recipients"};
    return std::nullopt;
}

void SmtpSession::workChunk(std::string_view& input) {
    const auto most = static_cast<std::size_t>(chunkLeft_);
    const std::string_view piece = input.substr(0, most);
    input.remove_prefix(piece.size());
    chunkLeft_ -= static_cast<std::int64_t>(piece.size());
    if (transaction_) {
        if (!transaction_->message.binary) transaction_->lines.look(piece);
        if (transaction_->lines.flaws().any()) transaction_->body.reset();
        keep(piece);
    }
    if (chunkLeft_ == 0) endChunk();
}

void SmtpSession::endChunk() {
    phase_ = Phase::Command;
    if (!transaction_) {
        const Answer answer = *std::exchange(chunkRefusal_, std::nullopt);
        if (answer.code < 500) return reply(answer.code, answer.enhanced, answer.text);
        return refuse(answer.code, answer.enhanced, answer.text);
    }
    if (lastChunk_) return endChunks();
    refuseFlaws(transaction_->lines.flaws());
    if (!transaction_->refusal) return reply(250, "2.0.0", "Ok: " + std::to_string(chunkSize_) + " bytes");
    waitingReplies_ = 1;
    refuseMail();
}

// A last line without its CR LF gets one, as Postfix and Exim do it: real senders leave it out, and what is
// to be sent on with DATA needs it. BINARYMIME is kept as it came.
void SmtpSession::endChunks() {
    Transaction& mail = *transaction_;
    mail.lines.end();
    if (mail.lines.flaws().any()) mail.body.reset();
    if (mail.body && !mail.message.binary && !mail.lines.lineEnded()) {
        if (mail.headerKept) {
            append("\r\n");
        } else {
            mail.held += "\r\n";
        }
    }
    endText(mail.lines.flaws());
}

}  // namespace postern::intake
