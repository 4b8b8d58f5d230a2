#include "adapters/ftn/ftn_settings.h"

#include <algorithm>

#include "adapters/ftn/ftn_text.h"
#include "adapters/profile.h"
#include "base/path.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::ftn {

namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;

struct NamedBit {
    const char* name;
    unsigned bit;
};
constexpr NamedBit kAttributes[] = {{"private", kPrivate}, {"crash", kCrash}, {"kill_sent", kKillSent},
                                    {"local", kLocal},     {"hold", kHold},   {"in_transit", kInTransit}};

constexpr std::pair<const char*, char> kFlavours[] = {
    {"normal", 'f'}, {"crash", 'c'}, {"direct", 'd'}, {"hold", 'h'}};

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<Node> node(const Settings& settings, const char* key) {
    const auto found = parseNode(settings.text(key));
    if (found) return *found;
    return fail(Errc::Invalid,
                std::string(key) + ": '" + escapeLine(settings.text(key), 60) +
                    "' is no FidoNet address: zone:net/node or zone:net/node.point, each from 0 "
                    "to 32767, as 2:999/1");
}

Result<unsigned> attributes(const Settings& settings) {
    unsigned bits = 0;
    for (const std::string& name : settings.list("attributes")) {
        const auto* found = std::find_if(std::begin(kAttributes), std::end(kAttributes),
                                         [&](const NamedBit& each) { return name == each.name; });
        if (found == std::end(kAttributes))
            return fail(Errc::Invalid, "attributes: '" + escapeLine(name, 40) +
                                           "' is none of private, crash, kill_sent, local, hold, in_transit");
        bits |= found->bit;
    }
    return bits;
}

Result<void> checkTexts(const Options& options) {
    if (options.password.size() > kLongestPassword || !isPlain(options.password))
        return fail(Errc::Invalid, "password: at most 8 letters of US-ASCII");
    const std::string& domain = options.addresses.domain;
    if (domain.empty() || domain.size() > 100 || domain.front() == '.' || domain.back() == '.' ||
        !isPlain(domain) || domain.find_first_of(" @") != std::string::npos)
        return fail(Errc::Invalid, "domain: the Internet domain of the network, like fidonet.org");
    const auto author = nameInPacket({options.nullSender, options.here}, options);
    if (trim(options.nullSender).empty() || mail::cleanLine(options.nullSender) != options.nullSender)
        return fail(Errc::Invalid, "null_sender: a name of 1 to 35 letters");
    return author.ok() ? Result<void>() : author.error().within("null_sender");
}

Result<Options> netmailOptions(const AdapterContext& context, const Settings& settings) {
    Options options;
    POSTERN_LET(profile, profileOf(settings, netmailProfile()));
    options.profile = std::move(profile);
    POSTERN_LET(here, node(settings, "address"));
    POSTERN_LET(link, node(settings, "link"));
    if (link == here) return fail(Errc::Invalid, "link: is our own address; nobody takes packets there");
    POSTERN_LET(bits, attributes(settings));
    options.here = here;
    options.link = link;
    options.attributes = bits;
    options.addresses = {settings.text("domain"), link};
    options.password = settings.text("password");
    options.nullSender = settings.text("null_sender");
    options.senderLine = settings.boolean("sender_line");
    options.storeId = context.storeId;
    options.softCr = softCrSubstitute(options.profile.charset);  // slow: once and not for each mail
    POSTERN_TRY(checkTexts(options));
    return options;
}

Result<OutboundPlan> outboundPlan(const AdapterContext& context, const Settings& settings,
                                  const SpoolPlan& spool, int ourZone) {
    OutboundPlan plan;
    FlowPlan& flow = plan.flow;
    flow.folder = spool.folder;
    flow.outbound = settings.text("outbound");
    if (flow.outbound.empty() || flow.outbound.find_first_of("/\\.") != std::string::npos ||
        !isPlain(flow.outbound) || flow.outbound == kPacketFolder)
        return fail(Errc::Invalid, "outbound: the name of a folder, without dots, like outbound");
    if (!isPlain(flow.folder) || trim(flow.folder) != flow.folder)
        return fail(Errc::Invalid, "folder: mailers read only letters of US-ASCII in flow files");
    if (const auto usable = usableFileName(flow.outbound); !usable.ok())
        return usable.error().within("outbound");
    const auto zone = settings.integer("outbound_zone");
    flow.zone = zone == 0 ? ourZone : static_cast<int>(zone);
    for (const auto& [name, letter] : kFlavours)
        if (settings.text("flavour") == name) flow.flavour = letter;
    flow.fileMode = spool.fileMode;
    flow.folderMode = spool.folderMode;
    flow.lock = {"postern " + context.storeId + " " + context.name,
                 Millis(settings.milliseconds("stale_lock")), "a mailer is busy with the link"};
    plan.lockWait = Millis(settings.milliseconds("lock_wait"));
    plan.stage = stagePath(context, spool);
    return plan;
}

std::vector<Setting> addressSettings() {
    return {
        {"address", SettingType::Text, nullptr, "Our own FidoNet address, zone:net/node or with a point."},
        {"link", SettingType::Text, nullptr,
         "Whom the packets are for: the tosser's own address, or the uplink's. Recipients without a node of "
         "their own are there."},
        {"domain", SettingType::Text, "fidonet.org",
         "Internet domain of the network: First.Last@fNODE.nNET.zZONE and this is a person there."},
        {"password", SettingType::Text, "", "Of the packets; at most 8 letters."},
        {"attributes", SettingType::List, "private",
         "Attributes of the messages: private, crash, kill_sent, local, hold, in_transit."},
        {"null_sender", SettingType::Text, "Postmaster", "Author of mail without a sender, such as reports."},
        {"sender_line", SettingType::Boolean, "false",
         "Begin the text with \"From: Name <address>\", for readers that hide control lines."},
        {"most_recipients",
         SettingType::Integer,
         "16",
         "Persons in one packet, each with a message of his own; 0 means no limit.",
         {},
         0,
         10000},
        {"bundle",
         SettingType::Integer,
         "1",
         "Mails in one packet, where so many wait; 1 gives each a packet of its own.",
         {},
         1,
         1000},
    };
}

std::vector<Setting> outboundSettings() {
    return {
        {"mode",
         SettingType::Choice,
         "inbound",
         "inbound: the folder is a tosser's inbound; bso: it holds a mailer's outbound folders.",
         {"inbound", "bso"}},
        {"routing",
         SettingType::Choice,
         "link",
         "bso: link sends all mail there, direct sends to each node itself.",
         {"link", "direct"}},
        {"outbound", SettingType::Text, "outbound",
         "bso: name of the outbound folder of our zone, as the mailer has it."},
        {"outbound_zone",
         SettingType::Integer,
         "0",
         "bso: the zone of that folder, where it is not ours.",
         {},
         0,
         32767},
        {"flavour",
         SettingType::Choice,
         "normal",
         "bso: which flow file names the packets.",
         {"normal", "crash", "direct", "hold"}},
        {"stale_lock",
         SettingType::Duration,
         "12h",
         "bso: a .bsy of others that is older is removed; 0s never.",
         {},
         0,
         30 * kDay},
        {"lock_wait",
         SettingType::Duration,
         "5s",
         "bso: how long a busy link is waited for before its mail is tried later.",
         {},
         0,
         600'000},
    };
}

}  // namespace

std::vector<Setting> netmailSettings() {
    std::vector<Setting> own = addressSettings();
    for (Setting& setting :
         profileSettings(netmailProfile(), outboundSettings(),
                         {"long_text", "subject_limit", "attachments=native", "attachments=mime"}))
        own.push_back(std::move(setting));
    return spoolSettings(std::move(own));
}

Result<Plan> netmailPlan(const AdapterContext& context, const Settings& settings) {
    Plan plan;
    POSTERN_LET(spool, spoolPlan(settings));
    POSTERN_LET(options, netmailOptions(context, settings));
    plan.spool = std::move(spool);
    plan.options = std::move(options);
    plan.outbound = settings.text("mode") == "bso";
    plan.direct = settings.text("routing") == "direct";
    if (plan.direct && !plan.outbound)
        return fail(Errc::Invalid, "routing: direct is for the mode bso; a tosser sends on by itself");
    plan.spool.live = {plan.outbound ? kPacketFolder : ""};
    plan.mostRecipients = plan.direct ? 1 : static_cast<int>(settings.integer("most_recipients"));
    plan.bundles.most = static_cast<std::size_t>(settings.integer("bundle"));
    POSTERN_LET(flows, outboundPlan(context, settings, plan.spool, plan.options.here.zone));
    plan.flows = std::move(flows);
    return plan;
}

}  // namespace postern::adapters::ftn
