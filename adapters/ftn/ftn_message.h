#pragma once
// A delivery as FidoNet netmail: one message for each person and part (FORMATS.md section 6). Texts, names
// and losses are mail/convert.h's; control lines follow FTS-4000, 4001, 0009, 5003, 4008, 4009 and FSC-0035,
// 0046.
//
// The same delivery gives the same bytes at each attempt: times are those of the mail, and the MSGID is made
// from the Message-ID (or, without one, from the item's number).
//
// Thread rule: pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "adapters/ftn/ftn_address.h"
#include "adapters/ftn/ftn_packet.h"
#include "mail/convert.h"

namespace postern::adapters::ftn {

inline constexpr std::string_view kProgram = "Postern";

struct Options {
    mail::Profile profile;
    Node here;  // ours
    Node link;  // whom packets are for, unless they go to each node itself
    AddressRules addresses;
    unsigned attributes = kPrivate;
    std::string password;                   // of packets
    std::string nullSender = "Postmaster";  // author of mail that has none
    bool senderLine = false;                // "From: Name <address>" leads the text
    char softCr = 0;                        // softCrSubstitute() of the profile's charset
    std::string storeId;                    // makes ids of mails without a Message-ID our own
};

// What every tosser takes: cp437, texts of 15,000 bytes, files uuencoded, subjects and names as in a packet.
mail::Profile netmailProfile();

// "CP437 2": the name and level of FTS-5003.
std::string charsetLabel(std::string_view charset);

// The name of a person as a packet holds it. Errc::Invalid: the charset lacks a character of it, or it is
// longer than 35 bytes; a cut name could be somebody else's.
Result<std::string> nameInPacket(const Person& person, const Options& options);

// The serial of an MSGID: CRC-32 of the Message-ID, so that the same mail has the same one at every attempt.
// The one whom the mail's To names first gets that; who gets a copy gets one of his own, as two messages on
// one node may not share an id (FTS-0009). Further parts of a split mail likewise.
struct Serial {
    std::string_view id;    // Message-ID with its brackets, or what stands for it
    std::string_view copy;  // Internet address of who gets a copy; empty for the first
    std::size_t part = 1;
};
std::string msgidSerial(const Serial& serial);

using Sink = std::function<Result<void>(std::string_view)>;

// Writes all messages of a delivery, without the packet around them. An outcome says why it is refused: it
// came from here already (it carries our PID or Via), or nobody can be reached. Losses go to job.notes.
Result<std::optional<Outcome>> writeNetmail(Job& job, const Options& options, const Sink& sink);

// The head of the packet that carries it.
std::string headFor(const Delivery& delivery, const Node& to, const Options& options);

}  // namespace postern::adapters::ftn
