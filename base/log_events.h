#pragma once
// Every log message of the product, in one list: id, severity, and what an operator should do about it.
// docs/LOG.md is checked against this list by a test. A message that needs no action says so.
// Severity is a property of the message, decided here and nowhere else (KB Q167807).

// POSTERN_LOG_EVENT(identifier, id, severity, advice)
#define POSTERN_LOG_EVENTS(EVENT)                                                                            \
    EVENT(ServiceStarting, "service.starting", Notice, "Nothing to do.")                                     \
    EVENT(ServiceReady, "service.ready", Notice,                                                             \
          "Nothing to do: mail is accepted and exported from now on.")                                       \
    EVENT(ServiceStopping, "service.stopping", Notice,                                                       \
          "Nothing to do: no new claims are made, held work is finished.")                                   \
    EVENT(ServiceStopped, "service.stopped", Notice, "Nothing to do.")                                       \
    EVENT(ServiceFailed, "service.failed", Error,                                                            \
          "The service ended with that exit status. Change what the text names, then start it again.")       \
    EVENT(ServiceStuck, "service.stuck", Error,                                                              \
          "A thread gives no sign of life. restart=needed: a fault of ours, please report it; systemd's "    \
          "watchdog "                                                                                        \
          "starts the service again, without it do so. Otherwise mend what its adapter waits for.")          \
    EVENT(ConfigReloaded, "config.reloaded", Notice, "Nothing to do: routes and adapters are the new ones.") \
    EVENT(ConfigWarning, "config.warning", Warning,                                                          \
          "It works, but perhaps not as meant: the text says where. Change it there, or leave it.")          \
    EVENT(ConfigRejected, "config.rejected", Error,                                                          \
          "The old configuration stays in force. Correct the named places, then 'postern reload'.")          \
    EVENT(StoreOpened, "store.opened", Info, "Nothing to do.")                                               \
    EVENT(StoreLeftover, "store.leftover", Info,                                                             \
          "Nothing to do: bodies of mail that never got its 250 were removed.")                              \
    EVENT(StoreBroken, "store.broken", Error,                                                                \
          "A commit or sync failed; nothing more is accepted and the service ends. Check the disk, then "    \
          "start it again.")                                                                                 \
    EVENT(StoreFull, "store.full", Error, "The store's disk is full; senders are told to wait. Make room.")  \
    EVENT(StoreRoom, "store.room", Notice, "Nothing to do: there is room again, and mail is accepted.")      \
    EVENT(StoreBallastOut, "store.ballast_out", Error,                                                       \
          "The disk is full: the space kept for that is given away, so that queued mail goes on; new mail "  \
          "waits. Make room.")                                                                               \
    EVENT(StoreBallastIn, "store.ballast_in", Notice,                                                        \
          "Nothing to do: the space kept for a full disk is there.")                                         \
    EVENT(StoreBallastMissing, "store.ballast_missing", Warning,                                             \
          "The space kept for a full disk can not be taken; the text says why. Make room, or make "          \
          "'ballast' smaller.")                                                                              \
    EVENT(                                                                                                   \
        DiskLow, "disk.low", Warning,                                                                        \
        "A volume is filling up. Make room, or give it more; 'postern status' says how long it will last.")  \
    EVENT(DiskAmple, "disk.ample", Notice, "Nothing to do: the volume has room enough again.")               \
    EVENT(StorePurged, "store.purged", Info,                                                                 \
          "Nothing to do: settled mail past its retention time was removed.")                                \
    EVENT(StoreTrouble, "store.trouble", Warning,                                                            \
          "Nothing to do for one: the step is tried again. If it comes back, look at what the text names.")  \
    EVENT(ListenerOpened, "listener.opened", Info, "Nothing to do.")                                         \
    EVENT(                                                                                                   \
        ListenerStrange, "listener.strange", Warning,                                                        \
        "A socket that the service manager passed is not used: give a [[listener]] its address, or take it " \
        "out of the socket unit.")                                                                           \
    EVENT(SessionOpened, "session.opened", Debug, "Nothing to do.")                                          \
    EVENT(SessionClosed, "session.closed", Info, "Nothing to do.")                                           \
    EVENT(SessionRefused, "session.refused", Warning,                                                        \
          "A limit on sessions was reached; raise it if the client is yours.")                               \
    EVENT(TlsFailed, "tls.failed", Info,                                                                     \
          "Nothing to do for strangers. For a client of yours: the text says why there was no common "       \
          "ground; mend its side or 'tls'.")                                                                 \
    EVENT(TlsUnavailable, "tls.unavailable", Error,                                                          \
          "A certificate can not be loaded: the old one stays, or there is no TLS. Mend it, then 'postern "  \
          "reload'.")                                                                                        \
    EVENT(AuthOk, "auth.ok", Info, "Nothing to do: somebody logged on.")                                     \
    EVENT(AuthFailed, "auth.failed", Notice,                                                                 \
          "Nothing to do for one; many from one client are somebody who guesses: keep it out.")              \
    EVENT(CommandRefused, "session.command.refused", Info,                                                   \
          "Nothing to do for strangers. A client of yours breaks the rule that the text names: mend it "     \
          "there.")                                                                                          \
    EVENT(MessageAccepted, "message.accepted", Info,                                                         \
          "Nothing to do: it is stored durably and was answered with 250.")                                  \
    EVENT(MessageRefused, "message.refused", Notice,                                                         \
          "Nothing to do: the sender was told the reason and keeps the mail. If it should be taken, change " \
          "what the reason names.")                                                                          \
    EVENT(MessageDuplicate, "message.duplicate", Notice,                                                     \
          "Nothing to do: a sender that missed our 250 sent its mail again; it is stored once.")             \
    EVENT(RecipientRefused, "recipient.refused", Info,                                                       \
          "Nothing to do, unless the address should be taken: then add a route or table entry; see "         \
          "'postern route test'.")                                                                           \
    EVENT(PickupSetAside, "pickup.set_aside", Warning,                                                       \
          "The file can not be taken: mend what its .reason.txt names and put it back into the folder.")     \
    EVENT(PickupTrouble, "pickup.trouble", Warning,                                                          \
          "The folder or file waits and is tried again by itself; mend what the text names.")                \
    EVENT(AdapterReady, "adapter.ready", Notice, "Nothing to do.")                                           \
    EVENT(AdapterSuspended, "adapter.suspended", Error,                                                      \
          "Its folder or tool is unusable; mail for it waits. Mend what the text names; it resumes by "      \
          "itself.")                                                                                         \
    EVENT(AdapterResumed, "adapter.resumed", Notice, "Nothing to do.")                                       \
    EVENT(AdapterWeaker, "adapter.weaker", Warning,                                                          \
          "Put the folder onto another file system (ext4, XFS, btrfs), or accept what docs/PROMISE.md says " \
          "of this one.")                                                                                    \
    EVENT(AdapterGroup, "adapter.group", Warning,                                                            \
          "Files there do not get the group of their folder, and its reader may not read them. Put the "     \
          "service's user into that group, and restart.")                                                    \
    EVENT(AdapterHostDown, "adapter.host_down", Warning,                                                     \
          "Mail goes by its other hosts, if it has any. Look at this one; it is asked again by itself.")     \
    EVENT(AdapterHostUp, "adapter.host_up", Notice, "Nothing to do: the host takes mail again.")             \
    EVENT(AdapterLeftover, "adapter.leftover", Info,                                                         \
          "Nothing to do: a working file of an unfinished attempt was removed.")                             \
    EVENT(                                                                                                   \
        AdapterIndex, "adapter.index", Notice,                                                               \
        "The mail is delivered; only a reader's index of new mail could not be changed. Mend what the text " \
        "names.")                                                                                            \
    EVENT(                                                                                                   \
        AdapterHeld, "adapter.held", Notice,                                                                 \
        "Nothing to do: a person suspended it, and mail waits. 'postern adapter resume' when it may go on.") \
    EVENT(AdapterReleased, "adapter.released", Notice, "Nothing to do: its suspension by a person is over.") \
    EVENT(ItemMoved, "item.moved", Notice,                                                                   \
          "Nothing to do for the mail: its fallback adapter takes it over. Look why its own one fails.")     \
    EVENT(ItemExported, "item.exported", Info, "Nothing to do.")                                             \
    EVENT(ItemPartly, "item.partly", Notice,                                                                 \
          "Nothing to do: some recipients have it; the others are tried again at the time shown.")           \
    EVENT(ItemDeferred, "item.deferred", Notice,                                                             \
          "Nothing to do for one: it is tried again at the time shown. Many with one reason: mend what it "  \
          "names.")                                                                                          \
    EVENT(ItemFailed, "item.failed", Warning,                                                                \
          "It is not tried any more; its sender is told. The reason says why; mend that, then 'postern "     \
          "queue retry' if it shall go.")                                                                    \
    EVENT(ItemReturned, "item.returned", Warning,                                                            \
          "Nothing to do: the legacy side gave it back after it took it, and its sender is told who "        \
          "failed. Many: see the reason.")                                                                   \
    EVENT(ImportDone, "import.done", Info, "Nothing to do: the import program took the files.")              \
    EVENT(ImportFailed, "import.failed", Error,                                                              \
          "Mend what the reason names; the files wait and are tried again by themselves.")                   \
    EVENT(ImportSetAside, "import.set_aside", Error,                                                         \
          "Do what its .reason.txt says: the file is not imported again by itself.")                         \
    EVENT(ReportQueued, "report.queued", Info, "Nothing to do: somebody is told what became of the item.")   \
    EVENT(ReportFailed, "report.failed", Warning,                                                            \
          "The sender of a failed mail is not told. The text says why; then 'postern queue bounce' tells.")  \
    EVENT(ItemHeld, "item.held", Warning,                                                                    \
          "It waits for a person: 'postern queue show', then release or delete.")                            \
    EVENT(ItemInDoubt, "item.in_doubt", Error,                                                               \
          "It may or may not have reached the legacy side. Look there, then 'postern queue resolve'.")       \
    EVENT(ItemUnanswered, "item.unanswered", Warning,                                                        \
          "Whether it is out can not be found out now; mend what the text names. It is asked again by "      \
          "itself.")                                                                                         \
    EVENT(ItemAnswered, "item.answered", Notice, "Nothing to do: what became of it is known at last.")       \
    EVENT(ItemRecovered, "item.recovered", Notice,                                                           \
          "Nothing to do: an interrupted attempt was brought to a known state.")                             \
    EVENT(ItemFenced, "item.fenced", Notice,                                                                 \
          "Nothing to do: a late worker found its claim gone and changed nothing.")                          \
    EVENT(ItemChanged, "item.changed", Notice, "Nothing to do: an operator did this.")                       \
    EVENT(AccountChanged, "account.changed", Notice, "Nothing to do: an operator did this.")                 \
    EVENT(WorkerFailed, "worker.failed", Error,                                                              \
          "Nothing to do for the mail: the watcher goes on. Please report the text: it is a fault of ours.") \
    EVENT(ChatUnavailable, "chat.unavailable", Error,                                                        \
          "Operators can not come in by chat; mail is not touched. Mend what the text names, then 'postern " \
          "reload'.")                                                                                        \
    EVENT(ControlRefused, "control.refused", Warning,                                                        \
          "Nothing to do for one. If a tool of yours asked: the text says what to change in its request or " \
          "its rights.")                                                                                     \
    EVENT(ControlDone, "control.done", Info, "Nothing to do: an operator's request was carried out.")
