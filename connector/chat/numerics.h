#pragma once
// Numeric replies (RFC 2812 section 5, modern.ircdocs.horse, IRCv3) in one list: their numbers and their
// texts. An empty text: what stands last is said by whoever replies. Pure; any thread.

#include <string>
#include <string_view>

namespace postern::chat {

#define POSTERN_CHAT_NUMERICS(X)                                            \
    X(Welcome, 1, "")                                                       \
    X(YourHost, 2, "")                                                      \
    X(Created, 3, "")                                                       \
    X(MyInfo, 4, "")                                                        \
    X(Support, 5, "are supported by this server")                           \
    X(UserModeIs, 221, "")                                                  \
    X(LuserClient, 251, "")                                                 \
    X(LuserOp, 252, "operator(s) online")                                   \
    X(LuserUnknown, 253, "unknown connection(s)")                           \
    X(LuserChannels, 254, "channels formed")                                \
    X(LuserMe, 255, "")                                                     \
    X(LocalUsers, 265, "")                                                  \
    X(GlobalUsers, 266, "")                                                 \
    X(Away, 301, "")                                                        \
    X(UserHost, 302, "")                                                    \
    X(IsOn, 303, "")                                                        \
    X(Unaway, 305, "You are no longer marked as being away")                \
    X(NowAway, 306, "You have been marked as being away")                   \
    X(WhoisUser, 311, "")                                                   \
    X(WhoisServer, 312, "")                                                 \
    X(WhoisOperator, 313, "is an IRC operator")                             \
    X(EndOfWho, 315, "End of WHO list")                                     \
    X(WhoisIdle, 317, "seconds idle, signon time")                          \
    X(EndOfWhois, 318, "End of /WHOIS list")                                \
    X(WhoisChannels, 319, "")                                               \
    X(ListStart, 321, "Users  Name")                                        \
    X(List, 322, "")                                                        \
    X(ListEnd, 323, "End of /LIST")                                         \
    X(ChannelModeIs, 324, "")                                               \
    X(ChannelCreated, 329, "")                                              \
    X(WhoisAccount, 330, "is logged in as")                                 \
    X(NoTopic, 331, "No topic is set")                                      \
    X(Topic, 332, "")                                                       \
    X(TopicWhoTime, 333, "")                                                \
    X(InviteList, 336, "")                                                  \
    X(EndOfInviteList, 337, "End of /INVITE list")                          \
    X(Inviting, 341, "")                                                    \
    X(Version, 351, "")                                                     \
    X(WhoReply, 352, "")                                                    \
    X(NamesReply, 353, "")                                                  \
    X(WhoxReply, 354, "")                                                   \
    X(EndOfNames, 366, "End of /NAMES list")                                \
    X(BanList, 367, "")                                                     \
    X(EndOfBanList, 368, "End of channel ban list")                         \
    X(Info, 371, "")                                                        \
    X(EndOfInfo, 374, "End of /INFO list")                                  \
    X(YouAreOper, 381, "You are now an IRC operator")                       \
    X(Time, 391, "")                                                        \
    X(NoSuchNick, 401, "No such nick/channel")                              \
    X(NoSuchServer, 402, "No such server")                                  \
    X(NoSuchChannel, 403, "No such channel")                                \
    X(CannotSendToChannel, 404, "Cannot send to channel")                   \
    X(TooManyChannels, 405, "You have joined too many channels")            \
    X(TooManyTargets, 407, "Too many recipients. Only some were processed") \
    X(NoOrigin, 409, "No origin specified")                                 \
    X(InvalidCapCommand, 410, "Invalid CAP command")                        \
    X(NoRecipient, 411, "No recipient given")                               \
    X(NoTextToSend, 412, "No text to send")                                 \
    X(InputTooLong, 417, "Input line was too long")                         \
    X(UnknownCommand, 421, "Unknown command")                               \
    X(NoMotd, 422, "MOTD File is missing")                                  \
    X(NoNicknameGiven, 431, "No nickname given")                            \
    X(ErroneousNickname, 432, "Erroneous nickname")                         \
    X(NicknameInUse, 433, "Nickname is already in use")                     \
    X(UserNotInChannel, 441, "They aren't on that channel")                 \
    X(NotOnChannel, 442, "You're not on that channel")                      \
    X(UserOnChannel, 443, "is already on channel")                          \
    X(NotRegistered, 451, "You have not registered")                        \
    X(NeedMoreParams, 461, "Not enough parameters")                         \
    X(AlreadyRegistered, 462, "You may not reregister")                     \
    X(PasswordMismatch, 464, "Password incorrect")                          \
    X(InvalidUsername, 468, "Malformed username")                           \
    X(ChannelIsFull, 471, "Cannot join channel (+l)")                       \
    X(UnknownMode, 472, "is unknown mode char to me")                       \
    X(InviteOnly, 473, "Cannot join channel (+i)")                          \
    X(Banned, 474, "Cannot join channel (+b)")                              \
    X(BadChannelKey, 475, "Cannot join channel (+k)")                       \
    X(BanListFull, 478, "Channel ban list is full")                         \
    X(BadChannelName, 479, "Illegal channel name")                          \
    X(NoPrivileges, 481, "Permission Denied- You're not an IRC operator")   \
    X(ChannelOpNeeded, 482, "You're not channel operator")                  \
    X(NoOperHost, 491, "No server operators by this address")               \
    X(UserModeUnknown, 501, "Unknown MODE flag")                            \
    X(UsersDontMatch, 502, "Cannot change mode for other users")            \
    X(InvalidModeParam, 696, "")                                            \
    X(LoggedIn, 900, "")                                                    \
    X(SaslSuccess, 903, "SASL authentication successful")                   \
    X(SaslFail, 904, "SASL authentication failed")                          \
    X(SaslTooLong, 905, "SASL message too long")                            \
    X(SaslAborted, 906, "SASL authentication aborted")                      \
    X(SaslAlready, 907, "You have already authenticated using SASL")        \
    X(SaslMechanisms, 908, "are available SASL mechanisms")

enum class Numeric {
#define POSTERN_CHAT_NAME(name, number, text) name,
    POSTERN_CHAT_NUMERICS(POSTERN_CHAT_NAME)
#undef POSTERN_CHAT_NAME
};

std::string numericCode(Numeric numeric);  // "001"
std::string_view numericText(Numeric numeric);

}  // namespace postern::chat
