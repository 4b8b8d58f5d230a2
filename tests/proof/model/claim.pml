/* The claim protocol of the queue, as queue/*.cpp, connector/export and the adapters do it, for SPIN. docs/MODEL.md says
   what is in it and what is not; check_model.py beside it searches it and plants the faults (the BUG_... below).

   A d_step is one transaction of the store or one system call: between any two of them anything else may happen, so that a
   worker stalls wherever it likes and a crash comes wherever it likes. A worker that comes back late is one that is not
   scheduled for a while. Time is no number here: a lease may end at any moment.

   CHANGE(item, from, to, who) is one row of the table of changes in docs/STATES.md; states_and_changes.py compares them. */

#ifndef KIND
#define KIND 1
#endif
#define SPOOL 1 /* evidence on disk: the staged file is there, set aside, or gone */
#define LINK 2  /* SMTP: evidence in memory; a cut connection or a crash leaves none */
#define PIPE 3  /* a command with a runner of its own that outlives us; no evidence once it was cut off in its work */
#ifndef ITEMS
#define ITEMS 1
#endif
#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef CRASHES
#define CRASHES 3 /* of the whole process */
#endif
#ifndef LAPSES
#define LAPSES 2 /* leases that end while their holder lives, and is late */
#endif
#ifndef DEFERS
#define DEFERS 1 /* attempts that the legacy side turns away */
#endif
#ifndef ACTS
#define ACTS 0 /* of operators */
#endif
#ifndef FOLDERS
#define FOLDERS 0 /* 1: the folders may go away and come back; 2: they may be destroyed and made anew as well */
#endif
#ifndef BACKUPS
#define BACKUPS 0 /* 1: a backup at any moment, and the store brought back from it at any later one */
#endif
#ifndef RETURNS
#define RETURNS 0 /* so many copies may be given back by the legacy side, long after */
#endif
#ifndef CONSUMER
#define CONSUMER 1 /* takes what lies before it, at any time */
#endif
#ifndef SWEEPS
#define SWEEPS 1 /* looks for leftovers that find one */
#endif
#ifndef DEATHS
#define DEATHS 2 /* QueueOptions::deathLimit */
#endif
#ifndef MAXE
#define MAXE 15
#endif
#define B(n) (1 << (n))

mtype = { ready, claimed, publishing, exported, failed, held, in_doubt, deleted, purged };
/* how a step of an adapter ended */
mtype = { none, Exported, Deferred, Rejected, Held, Unknown, Published, NotPublished, CannotTell, Busy, Unusable };

/* The rows, and what the service keeps. */
mtype st[ITEMS] = ready;
byte ep[ITEMS], sep[ITEMS], deaths[ITEMS];
bit own[ITEMS];  /* this life of the process has it, or had it last */
bit lease[ITEMS], unans[ITEMS], etok[ITEMS];
byte dying;      /* workers that the crash of a moment ago takes away: nobody does anything before they are gone */
bit busy[WORKERS], sweeping;

/* The adapter's side. */
short staged[ITEMS], aside[ITEMS]; /* by epoch: files in the stage folder, and in the folder of withdrawn ones */
bit live[ITEMS];                   /* a file lies before the consumer */
bit ours = 1, tok = 0;             /* the folders are those we opened; which stage folder it is */
short waiting[ITEMS], sending[ITEMS], endOk[ITEMS], endNo[ITEMS], endUnk[ITEMS]; /* LINK's memory; PIPE's results */
short runner[ITEMS], begun[ITEMS];                                               /* PIPE */

/* What only an onlooker knows. */
byte copies[ITEMS];  /* times that the consumer got it and kept it */
byte holder[ITEMS];  /* who rightly has the item in hand, 0: nobody */
/* Given back by the legacy side, and not yet taken from there: an answer to the attempt that the row's staged epoch names,
   and one to an earlier attempt. Which of them it is, the answer's own epoch tells; here the mark moves it over. */
bit answer[ITEMS], late[ITEMS];
byte crashes = CRASHES, lapses = LAPSES, defers = DEFERS, acts = ACTS, cuts = 1, trips = FOLDERS, sweeps = SWEEPS, returns = RETURNS;

#if BACKUPS
bit saved, restored;
mtype bst[ITEMS];
byte bep[ITEMS], bsep[ITEMS], bdeaths[ITEMS], base[ITEMS];
bit betok[ITEMS];
#define RESTORED (restored)
#define FROM_BACKUP (restored && s < base[i])
#else
#define RESTORED (0)
#define FROM_BACKUP (0)
#endif

c_decl {
\#include <stdio.h>
    static unsigned char changed_at[4096];
    __attribute__((destructor)) static void tell(void) {
        for (int line = 0; line < 4096; ++line)
            if (changed_at[line]) printf("reached %d\n", line);
    }
}

#define CHANGE(i, from, to, who) \
    assert(st[i] == from); \
    st[i] = to; \
    c_code { changed_at[__LINE__] = 1; }
#define FORCE(i, to) st[i] = to

/* STRUCTURE: how it is done. The other asserts are what comes of it; with -DOUTCOMES only those are asked. */
#ifdef OUTCOMES
#define STRUCTURE(what) skip
#else
#define STRUCTURE(what) assert(what)
#endif
#define MINE(i) STRUCTURE(holder[i] == _pid + 1) /* a stale epoch never changes a row */

/* The legacy side gets it: never twice, and only while the row says that this very artifact is being published. */
#if KIND == PIPE /* a runner may outlive the asking, when the asking itself kills */
#define EFFECT(i, k) \
    STRUCTURE(sep[i] == (k) && (st[i] == publishing || st[i] == in_doubt)); \
    assert(copies[i] == 0); copies[i]++; live[i] = CONSUMER
#else
#define EFFECT(i, k) \
    STRUCTURE(st[i] == publishing && sep[i] == (k)); \
    assert(copies[i] == 0); copies[i]++; live[i] = CONSUMER
#endif

#define USABLE (ours && !(KIND == LINK && sending[i]) && !(KIND == PIPE && runner[i]))
#define IN_HANDS(i) (st[i] == claimed || st[i] == publishing)
/* queue.cpp, needsArtifact(): which epochs' files, as a set */
#ifdef BUG_SWEEP_BY_EPOCH
#define NEEDED(i) (IN_HANDS(i) -> B(ep[i]) : 0)
#else
#define NEEDED(i) \
    ((st[i] == claimed -> B(ep[i]) : 0) | (st[i] == publishing || st[i] == in_doubt -> B(sep[i]) : 0))
#endif

/* When nobody has an old epoch in hand, files that nobody will look at any more are dropped, and epochs are numbered
   anew: nothing but their order and equality matters, and this keeps the search small. */
#define ALL(each) each(0); each(1)
#if ITEMS == 1
#undef ALL
#define ALL(each) each(0)
#endif
#if BACKUPS
#define NUMBER_ANEW(i) skip
#else
#define NUMBER_ANEW(i) \
    staged[i] = staged[i] & NEEDED(i); aside[i] = aside[i] & NEEDED(i); begun[i] = begun[i] & NEEDED(i); \
    endOk[i] = endOk[i] & NEEDED(i); endNo[i] = endNo[i] & NEEDED(i); \
    if \
    :: runner[i] -> skip /* it has its number in its hands */ \
    :: else -> \
        staged[i] = 2 * (staged[i] != 0); aside[i] = 2 * (aside[i] != 0); begun[i] = 2 * (begun[i] != 0); \
        endOk[i] = 2 * (endOk[i] != 0); endNo[i] = 2 * (endNo[i] != 0); \
        ep[i] = (st[i] == publishing && ep[i] > sep[i] -> 2 : IN_HANDS(i) || st[i] == in_doubt); \
        sep[i] = (st[i] == publishing || st[i] == in_doubt) \
    fi
#endif
#define FORGET(i) \
    holder[i] = 0; own[i] = 0; lease[i] = 0; waiting[i] = 0; sending[i] = 0; endUnk[i] = 0; \
    if :: KIND == LINK -> endOk[i] = 0; endNo[i] = 0 :: else fi; \
    NUMBER_ANEW(i)
inline crash_it() {
    dying = busy[0] + 2 * busy[1] + 4 * busy[WORKERS - 1] * (WORKERS > 2) + 8 * sweeping;
    ALL(FORGET)
}

/* ---- claim.cpp ---------------------------------------------------------------------------------------------------- */

inline take_it() {
    ep[i]++;
    assert(ep[i] < MAXE);
    own[i] = 1; lease[i] = 1; unans[i] = 0;
    holder[i] = _pid + 1;
    e = ep[i]; busy[_pid] = 1;
}

inline stage_it() {
    d_step {
#if KIND == LINK
        endNo[i] = endNo[i] | (waiting[i] & (B(e) - 1)); /* a later attempt takes the place of earlier ones */
        waiting[i] = (waiting[i] & ~(B(e) - 1)) | B(e);
#else
        if
        :: ours -> staged[i] = staged[i] | B(e); tk = tok
        :: else -> r = Deferred
        fi
#endif
    }
}

inline mark_it() {
#ifdef BUG_MARK_WITHOUT_EPOCH
    if
    :: true -> FORCE(i, publishing); sep[i] = e; etok[i] = tk; lease[i] = 1; MINE(i)
#else
    if
    :: st[i] == claimed && ep[i] == e ->
        CHANGE(i, claimed, publishing, markPublishing);
        MINE(i);
        sep[i] = e; etok[i] = tk; lease[i] = 1
#endif
    :: else -> mine = 0
    fi;
    if
    :: mine && answer[i] -> answer[i] = 0; late[i] = 1
    :: else
    fi
}

inline abandon_it() { /* the row never was publishing with this file, and its epoch was ours alone */
#if KIND == LINK
    endNo[i] = endNo[i] | (waiting[i] & B(e)); waiting[i] = waiting[i] & ~B(e)
#else
    staged[i] = staged[i] & ~B(e)
#endif
}

inline renew_it() {
    d_step {
        if
#ifdef BUG_RENEW_WITHOUT_EPOCH
        :: IN_HANDS(i) && !lease[i] -> lease[i] = 1; MINE(i)
#else
        :: ep[i] == e && IN_HANDS(i) && !lease[i] -> lease[i] = 1; MINE(i)
#endif
        :: else
        fi
    }
}

inline give_back_it() {
    d_step {
        if
        :: ep[i] == e && st[i] == claimed -> CHANGE(i, claimed, ready, giveBack); MINE(i); holder[i] = 0; own[i] = 0; lease[i] = 0
        :: else
        fi
    }
}

/* ---- settle.cpp: `r` is what the holder reports --------------------------------------------------------------------- */

inline settle_it() {
    d_step {
        assert(r == Exported || r == Deferred || r == Rejected || r == Held || r == CannotTell);
        if
#ifdef BUG_SETTLE_WITHOUT_EPOCH
        :: true ->
            MINE(i);
            if
            :: r == Exported -> FORCE(i, exported)
            :: r == Deferred -> FORCE(i, ready); sep[i] = 0
            :: r == Rejected -> FORCE(i, failed); sep[i] = 0
            :: r == Held -> FORCE(i, held); sep[i] = 0
            :: r == CannotTell -> FORCE(i, in_doubt)
            fi;
            holder[i] = 0
#else
        :: ep[i] == e && st[i] == publishing ->
            MINE(i);
            if
            :: r == Exported ->
                assert(copies[i] + answer[i] == 1); /* else it is lost */
                CHANGE(i, publishing, exported, settle)
            :: r == Deferred ->
                assert(copies[i] == 0);
                if
                :: deaths[i] >= DEATHS -> CHANGE(i, publishing, held, settle)
                :: else -> CHANGE(i, publishing, ready, settle)
                fi;
                sep[i] = 0
            :: r == Rejected -> assert(copies[i] == 0); CHANGE(i, publishing, failed, settle); sep[i] = 0
            :: r == Held -> assert(copies[i] == 0 || RESTORED); CHANGE(i, publishing, held, settle); sep[i] = 0
            :: r == CannotTell ->
                assert(KIND != SPOOL || etok[i] != tok || FROM_BACKUP); /* only where the adapter can not tell */
                CHANGE(i, publishing, in_doubt, settle)
            fi;
            unans[i] = 0; lease[i] = 0; own[i] = 0; holder[i] = 0;
            if :: st[i] != in_doubt -> sep[i] = 0; etok[i] = 0 :: else fi
        :: ep[i] == e && st[i] == claimed && r != Exported && r != CannotTell ->
            MINE(i);
            if
            :: r == Deferred ->
                assert(deaths[i] < DEATHS); /* else it were held already */
                CHANGE(i, claimed, ready, settle)
            :: r == Rejected -> CHANGE(i, claimed, failed, settle)
            :: r == Held -> CHANGE(i, claimed, held, settle)
            fi;
            lease[i] = 0; own[i] = 0; holder[i] = 0
#endif
        :: else -> mine = 0 /* fenced: touch nothing */
        fi
    }
}

/* move.cpp: the fallback takes it, only if nobody claimed it since. What is delivered by its new item counts as a copy. */
inline move_it() {
    d_step { mine && r == Deferred && acts > 0 ->
        acts--;
        if
        :: st[i] == ready && ep[i] == e ->
            assert(copies[i] == 0); copies[i]++;
            CHANGE(i, ready, deleted, moveItem)
        :: else
        fi
    }
}

/* ---- the adapters --------------------------------------------------------------------------------------------------- */

/* witness.cpp: makes sure that `n` is not published any more; r: Deferred (set aside), Exported (gone) or Unusable. Each
   look is a step of its own. */
inline withdraw_it(n) {
#ifdef BUG_LOOK_WITHOUT_WITHDRAWING
    d_step { if :: staged[i] & B(n) -> r = Deferred :: else -> r = none fi };
#else
    d_step {
        if
        :: staged[i] & B(n) -> staged[i] = staged[i] & ~B(n); aside[i] = aside[i] | B(n); r = Deferred
        :: else -> r = none
        fi
    };
#endif
    if
    :: r == none ->
        d_step { if :: staged[i] & B(n) -> r = Unusable :: else fi };
        if
        :: r == none ->
            d_step { if :: aside[i] & B(n) -> r = Deferred :: else fi };
            if
#ifdef BUG_NO_FOLDER_CHECK
            :: r == none -> r = Exported
#else
            :: r == none -> d_step { if :: ours && tk == tok -> r = Exported :: else -> r = Unusable fi }
#endif
            :: else
            fi
        :: else
        fi
    :: else
    fi
}

#if KIND == SPOOL
inline publish_it() {
    if /* the folder is looked at, then the one rename */
    :: d_step { ours && tk == tok ->
        if
        :: staged[i] & B(e) ->
#ifdef BUG_COPY_INSTEAD_OF_RENAME
            EFFECT(i, e); r = Exported
#else
            staged[i] = staged[i] & ~B(e); EFFECT(i, e); r = Exported
#endif
        :: else -> r = none
        fi }
    :: d_step { !(ours && tk == tok) -> r = none }
    :: d_step { defers > 0 -> defers--; r = none } /* the name is taken, the disk is full */
    fi;
    if
    :: r == none ->
        withdraw_it(e);
        if
        :: r == Unusable -> r = Unknown
        :: else
        fi
    :: else
    fi
}

inline recover_it() { /* spool.cpp, recover(); r: Published, NotPublished, CannotTell, Unusable */
    d_step {
        tk = tok;
        if
#ifdef BUG_NO_FOLDER_CHECK
#else
        :: !ours -> r = Unusable
#endif
#ifdef BUG_STAGE_MADE_ANEW_BELIEVED
        :: else -> r = none
#else
        :: else -> if :: ev != tk -> r = CannotTell :: else -> r = none fi
#endif
        fi
    };
#ifdef BUG_ASKS_THE_CONSUMERS_FOLDER
    if
    :: r == none -> d_step { if :: live[i] -> r = Published :: else -> r = NotPublished fi }
    :: else
    fi
#else
    if
    :: r == none ->
        withdraw_it(s);
        if
        :: r == Deferred -> r = NotPublished
        :: r == Exported -> r = Published
        :: else
        fi
    :: else
    fi
#endif
}
#endif

#if KIND == LINK
inline publish_it() { /* flights.h: one caller takes it out; then the dot, then its answer */
    d_step {
        if
        :: waiting[i] & B(e) -> waiting[i] = waiting[i] & ~B(e); sending[i] = sending[i] | B(e); r = none
        :: else ->
            if
            :: endOk[i] & B(e) -> r = Exported
            :: endNo[i] & B(e) -> r = Deferred
            :: else -> r = Unknown
            fi
        fi
    };
    if
    :: r == none ->
        if
        :: d_step { EFFECT(i, e) };
            if
            :: d_step { endOk[i] = endOk[i] | B(e); sending[i] = sending[i] & ~B(e); r = Exported }
            :: d_step { cuts > 0 -> cuts--; endUnk[i] = endUnk[i] | B(e); sending[i] = sending[i] & ~B(e); r = Unknown }
            fi
        :: d_step { defers > 0 -> defers--; endNo[i] = endNo[i] | B(e); sending[i] = sending[i] & ~B(e); r = Deferred }
        :: d_step { defers > 0 -> defers--; endNo[i] = endNo[i] | B(e); sending[i] = sending[i] & ~B(e); r = Rejected }
        :: d_step { cuts > 0 -> cuts--; endUnk[i] = endUnk[i] | B(e); sending[i] = sending[i] & ~B(e); r = Unknown }
        fi
    :: else
    fi
}

inline recover_it() {
    d_step {
        if
        :: waiting[i] & B(s) ->
#ifndef BUG_LOOK_WITHOUT_WITHDRAWING
            waiting[i] = waiting[i] & ~B(s); endNo[i] = endNo[i] | B(s);
#endif
            r = NotPublished
        :: sending[i] & B(s) -> r = Busy
        :: endOk[i] & B(s) -> r = Published
        :: endNo[i] & B(s) -> r = NotPublished
#ifdef BUG_DOUBT_TAKEN_FOR_NO
        :: else -> r = NotPublished
#else
        :: else -> r = CannotTell
#endif
        fi
    }
}
#endif

#if KIND == PIPE
inline examine_it(n) { /* command_files.cpp; none: begun by nobody yet, the text waits */
    d_step {
        if
        :: runner[i] & B(n) -> r = Busy
        :: else ->
            if
            :: begun[i] & B(n) ->
                if
                :: endOk[i] & B(n) -> r = Exported
                :: endNo[i] & B(n) -> r = Deferred
                :: else -> r = Unknown
                fi
            :: else ->
                if
                :: staged[i] & B(n) -> r = none
                :: aside[i] & B(n) -> r = Deferred
                :: else -> r = Unknown
                fi
            fi
        fi
    }
}

inline publish_it() {
    if
    :: d_step { ours && tk == tok && !(runner[i] & (B(e) - 1)) -> r = none }
    :: d_step { (!(ours && tk == tok) || defers > 0) -> if :: defers > 0 -> defers-- :: else fi; r = Rejected }
    fi;
    if
    :: r == Rejected -> /* given up before it began, if nobody else was quicker */
        withdraw_it(e);
        if
        :: r == Deferred
        :: else -> r = Unknown
        fi
    :: else ->
        d_step {
            aside[i] = aside[i] | (staged[i] & (B(e) - 1)); staged[i] = staged[i] & ~(B(e) - 1)
        };
        atomic { /* whoever has the lock works on it; its end is ours too */
            examine_it(e);
            if
            :: r == none -> runner[i] = runner[i] | B(e); run Runner(i, e)
            :: else
            fi
        };
        !(runner[i] & B(e));
        examine_it(e);
        if
        :: r == none -> r = Unknown
        :: else
        fi
    fi
}

inline recover_it() {
    d_step {
        tk = tok;
        if
        :: !ours -> r = Unusable
        :: else -> if :: ev != tk -> r = CannotTell :: else -> r = none fi
        fi
    };
    if
    :: r == none ->
        examine_it(s);
        if
        :: r == none || r == Busy ->
#ifdef BUG_LOOK_WITHOUT_WITHDRAWING
            d_step { if :: staged[i] & B(s) -> r = NotPublished :: else -> r = Busy fi }
#else
            d_step { /* one that has the lock and did not begin yet can be too late: the one rename decides */
                if
                :: staged[i] & B(s) -> staged[i] = staged[i] & ~B(s); aside[i] = aside[i] | B(s); r = NotPublished
                :: else -> r = Busy
                fi
            }
#endif
        :: r == Exported -> r = Published
        :: r == Deferred -> r = NotPublished
#ifdef BUG_DOUBT_TAKEN_FOR_NO
        :: r == Unknown -> r = NotPublished
#else
        :: r == Unknown -> r = CannotTell
#endif
        fi
    :: else
    fi
}

proctype Runner(byte i; byte k) {
    bit began = 0;
    d_step {
        if
        :: staged[i] & B(k) -> staged[i] = staged[i] & ~B(k); begun[i] = begun[i] | B(k); began = 1
        :: else -> runner[i] = runner[i] & ~B(k)
        fi
    };
    if
    :: began ->
        if
        :: d_step { EFFECT(i, k) };
            if
            :: d_step { endOk[i] = endOk[i] | B(k); runner[i] = runner[i] & ~B(k) }
            :: d_step { cuts > 0 -> cuts--; runner[i] = runner[i] & ~B(k) } /* killed in its work */
            fi
        :: d_step { defers > 0 -> defers--; endNo[i] = endNo[i] | B(k); runner[i] = runner[i] & ~B(k) }
        :: d_step { cuts > 0 -> cuts--; runner[i] = runner[i] & ~B(k) }
        fi
    :: else
    fi
}
#endif

/* ---- lapse.cpp and exporter_recovery.cpp ---------------------------------------------------------------------------- */

#define LAPSED(i) (!own[i] || !lease[i] || (holder[i] == 0 && USABLE))

inline free_claimed() { /* the legacy side never heard of it */
    if
    :: !own[i] -> deaths[i]++
    :: else
    fi;
    if
    :: !own[i] && deaths[i] >= DEATHS -> CHANGE(i, claimed, held, takeLapsed)
    :: else -> CHANGE(i, claimed, ready, takeLapsed)
    fi;
    holder[i] = 0; own[i] = 0; lease[i] = 0; i = 0
}

inline take_over() {
    if
    :: !own[i] && !unans[i] -> deaths[i]++; r = Unknown
    :: else -> r = none
    fi;
    if
    :: r == Unknown && ep[i] > sep[i] && deaths[i] >= DEATHS -> /* asking itself kills: a person looks */
        CHANGE(i, publishing, in_doubt, takeLapsed);
        holder[i] = 0; own[i] = 0; lease[i] = 0; i = 0
    :: else ->
        CHANGE(i, publishing, publishing, takeLapsed);
        take_it();
#ifdef BUG_STAGED_EPOCH_RISES
        sep[i] = e;
#endif
        s = sep[i]; ev = etok[i]
    fi;
    r = none
}

#if WORKERS > 2
#define MY_TURN (!dying && (_pid == 0 || (busy[0] && (_pid == 1 || busy[1])))) /* idle workers are alike: the first one goes */
#else
#define MY_TURN (!dying && (_pid == 0 || busy[0]))
#endif

inline be_idle() {
    d_step { i = 0; e = 0; s = 0; r = none; tk = 0; ev = 0; mine = 1; busy[_pid] = 0; dying = dying & ~B(_pid);
        if
        :: !busy[0] && !busy[1] && !busy[WORKERS - 1] && !sweeping && !dying -> ALL(NUMBER_ANEW)
        :: else
        fi
    }
}

/* The item stays publishing, and is asked about again. */
inline leave_it() {
    d_step {
        if
        :: r == Busy && ep[i] == e && st[i] == publishing -> unans[i] = 1; MINE(i)
        :: else
        fi;
        if
        :: holder[i] == _pid + 1 -> holder[i] = 0
        :: else
        fi
    }
}

active [WORKERS] proctype Worker() {
    byte i = 0, e = 0, s = 0;
    mtype r = none;
    bit tk = 0, ev = 0, mine = 1;
    {
idle:
        do
#ifdef BUG_CLAIM_WITHOUT_COMPARE /* looks, then takes: the product of 1998 */
        :: d_step { MY_TURN && ours && st[0] == ready -> busy[_pid] = 1 };
            d_step { FORCE(i, claimed); take_it() };
#else
        :: d_step { MY_TURN && ours && st[0] == ready -> i = 0; CHANGE(i, ready, claimed, claim); take_it() };
#endif
            goto have_it
#if ITEMS > 1
        :: d_step { MY_TURN && ours && st[1] == ready -> i = 1; CHANGE(i, ready, claimed, claim); take_it() };
            goto have_it
#endif
        :: d_step { MY_TURN && st[0] == claimed && LAPSED(0) -> i = 0; free_claimed() }
        :: d_step { MY_TURN && st[0] == publishing && LAPSED(0) -> i = 0; take_over() };
            if
            :: busy[_pid] -> goto ask
            :: else
            fi
#if ITEMS > 1
        :: d_step { MY_TURN && st[1] == claimed && LAPSED(1) -> i = 1; free_claimed() }
        :: d_step { MY_TURN && st[1] == publishing && LAPSED(1) -> i = 1; take_over() };
            if
            :: busy[_pid] -> goto ask
            :: else
            fi
#endif
        od;

    have_it:
        if
        :: stage_it()
        :: d_step { defers > 0 -> defers--; r = Deferred }
        :: d_step { defers > 0 -> defers--; r = Rejected }
        :: d_step { defers > 0 -> defers--; r = Busy } /* a stop: given back */
        :: d_step { defers > 0 && deaths[i] + 1 >= DEATHS -> defers--; r = Held } /* the adapter failed on it once too often */
        fi;
        if
        :: r == Busy -> give_back_it(); goto done
        :: r != none && r != Busy -> goto settle
        :: else
        fi;
        renew_it();
#ifdef BUG_PUBLISH_WITHOUT_MARK
        publish_it();
        d_step { mark_it() };
        if
        :: !mine -> goto done
        :: r == Unknown -> s = e; ev = tk; goto ask
        :: else -> goto settle
        fi;
#endif
        if
        :: d_step { mark_it() }
        :: d_step { /* the commit failed, and yet it may surface: the store stops for good, nothing more is touched */
            crashes > 0 -> crashes--;
            mark_it();
#ifdef BUG_UNSTAGE_AFTER_FAILED_COMMIT
            abandon_it();
#endif
            mine = 1;
            crash_it() }
        fi;
        if
        :: !mine -> d_step { abandon_it() }; goto done
        :: else
        fi;
#ifdef BUG_RECORD_BEFORE_PUBLISHING
        d_step { r = Exported; if :: ep[i] == e && st[i] == publishing -> FORCE(i, exported); holder[i] = 0 :: else fi };
        publish_it();
        goto done;
#endif
        publish_it();
        if
        :: r == Unknown -> s = e; ev = tk; goto ask
        :: else -> goto settle
        fi;

    ask:
#ifdef BUG_TAKES_OVER_WITHOUT_ASKING
        r = NotPublished;
#else
        recover_it();
#endif
        if
        :: r == Busy || r == Unusable -> leave_it(); goto done
        :: r == Published ->
#ifdef BUG_BACKUP_BELIEVED
            r = Exported
#else
            if :: FROM_BACKUP -> r = CannotTell :: else -> r = Exported fi
#endif
        :: r == NotPublished ->
#ifdef BUG_BACKUP_TRIED_AGAIN
            r = Deferred
#else
            if :: FROM_BACKUP -> r = Held :: else -> r = Deferred fi
#endif
        :: r == CannotTell
        fi;
    settle:
        settle_it();
        if
        :: move_it()
        :: true
        fi;
    done:
        be_idle();
        goto idle
    } unless { dying & B(_pid) };
    be_idle();
    goto idle
}

/* runner.cpp and witness.cpp: files of attempts that are over go. Looking and removing are two steps. */
#define LEFTOVER (((staged[0] | aside[0] | waiting[0]) & ~NEEDED(0)))
active proctype Sweeper() {
    byte i = 0, k = 0;
    {
again:
        do
        :: atomic { LEFTOVER != 0 && !dying && sweeps > 0 ->
            sweeps--;
            sweeping = 1; k = 1;
            do
            :: LEFTOVER & B(k) -> break
            :: k < ep[0] -> k++
            :: k == ep[0] && !(LEFTOVER & B(k)) -> k = 0; break
            od }
            if
            :: k != 0 ->
                d_step {
                    staged[i] = staged[i] & ~B(k); aside[i] = aside[i] & ~B(k);
#if KIND == LINK
                    endNo[i] = endNo[i] | (waiting[i] & B(k)); waiting[i] = waiting[i] & ~B(k);
#endif
                    k = 0; sweeping = 0
                }
            :: else -> sweeping = 0
            fi
        od
    } unless { dying & 8 };
    d_step { k = 0; sweeping = 0; dying = dying & ~8 };
    goto again
}

/* Everybody else: the machine, the consumer, operators. Item 0 is theirs to trouble. */
/* They look at the legacy side first: nobody works there on it any more. That its answers are read nobody can see. */
#define LOOKED (runner[0] == 0)
#define ACT d_step { acts > 0
#define DONE acts-- }
active proctype World() {
    byte i = 0;
    do
    :: d_step { crashes > 0 -> crashes--; crash_it() }; dying == 0
    :: d_step { lapses > 0 && IN_HANDS(0) && lease[0] && holder[0] != 0 -> lapses--; lease[0] = 0 }
#if CONSUMER
    :: d_step { live[0] -> live[0] = 0 } /* the consumer takes it */
#endif
#if FOLDERS
    :: d_step { trips > 0 && ours -> trips--; ours = 0 }
    :: d_step { !ours && (staged[0] | aside[0]) != 0 && FOLDERS > 1 && tok == 0 -> staged[0] = 0; aside[0] = 0; tok = 1 }
    :: d_step { !ours -> ours = 1 }
#endif
#if RETURNS
    :: d_step { returns > 0 && copies[0] == 1 && st[0] != deleted -> returns--; copies[0]--; answer[0] = 1 }
#endif
#if ACTS
    :: ACT && st[0] == ready -> CHANGE(i, ready, held, hold); DONE
    :: ACT && st[0] == held && (!RESTORED || copies[0] == 0) -> deaths[0] = 0; CHANGE(i, held, ready, release); DONE
    :: ACT && st[0] == ready -> CHANGE(i, ready, ready, retry); DONE
    :: ACT && st[0] == failed && (!RESTORED || copies[0] == 0) -> deaths[0] = 0; CHANGE(i, failed, ready, retry); DONE
    :: ACT && st[0] == ready -> CHANGE(i, ready, failed, bounce); DONE
    :: ACT && st[0] == held -> CHANGE(i, held, failed, bounce); DONE
    :: ACT && st[0] == failed -> CHANGE(i, failed, failed, bounce); DONE
    :: ACT && st[0] == ready -> CHANGE(i, ready, deleted, delete); DONE
    :: ACT && st[0] == held -> CHANGE(i, held, deleted, delete); DONE
    :: ACT && st[0] == failed -> CHANGE(i, failed, deleted, delete); DONE
    :: ACT && st[0] == held && copies[0] == 0 -> copies[0]++; CHANGE(i, held, deleted, moveItem); DONE
    :: ACT && st[0] == failed && copies[0] == 0 -> copies[0]++; CHANGE(i, failed, deleted, moveItem); DONE
    :: ACT && st[0] == ready -> CHANGE(i, ready, failed, failExpired); DONE
    :: ACT && st[0] == in_doubt && copies[0] == 1 -> CHANGE(i, in_doubt, exported, resolve_exported); DONE
    :: ACT && st[0] == in_doubt && copies[0] == 0 && LOOKED ->
        deaths[0] = 0; sep[0] = 0; CHANGE(i, in_doubt, ready, resolve_resend); DONE
    :: ACT && st[0] == in_doubt && copies[0] == 0 && LOOKED -> CHANGE(i, in_doubt, failed, resolve_failed); DONE
    :: ACT && st[0] == in_doubt && copies[0] == 0 && LOOKED -> CHANGE(i, in_doubt, failed, bounce); DONE
    :: ACT && st[0] == in_doubt && LOOKED -> CHANGE(i, in_doubt, deleted, delete); DONE
    :: ACT && (st[0] == exported || st[0] == failed || st[0] == deleted) && !answer[0] && !late[0] -> FORCE(0, purged); DONE
#endif
#if BACKUPS
    :: d_step { !saved -> saved = 1; bst[0] = st[0]; bep[0] = ep[0]; bsep[0] = sep[0]; bdeaths[0] = deaths[0]; betok[0] = etok[0] }
    :: d_step { saved && !restored -> restored = 1; /* restored.cpp, in the new store before anybody uses it */
        crash_it();
        st[0] = bst[0]; sep[0] = bsep[0]; deaths[0] = bdeaths[0]; etok[0] = betok[0]; unans[0] = 0;
#ifdef BUG_RESTORED_WITH_OLD_NUMBERS
        ep[0] = bep[0];
#else
        ep[0]++; base[0] = ep[0]; /* behind every number of the store that is gone */
#endif
#ifndef BUG_RESTORED_AND_SENT
        if
        :: st[0] == ready -> CHANGE(i, ready, held, markRestored)
        :: st[0] == claimed -> CHANGE(i, claimed, held, markRestored)
        :: st[0] == held -> CHANGE(i, held, held, markRestored)
        :: else
        fi;
#endif
        skip }; dying == 0
#endif
    :: ours -> break
    od
}

/* returned.cpp: an answer waits while somebody has the item in hand, and takes effect once: if it is to the attempt
   that the row rests on. Of a failed, held or ready item its history gets it, and of any other attempt. */
#if RETURNS
#ifdef BUG_ANSWER_TAKEN_EARLY
#define ANSWERED (answer[0])
#else
#define ANSWERED (answer[0] && !IN_HANDS(0))
#endif
#ifdef BUG_ANSWER_NAMES_NO_ATTEMPT
#define LATE_ONE answer[0] = 1
#else
#define LATE_ONE skip
#endif
active proctype Attend() {
    byte i = 0;
    do
    :: d_step { ANSWERED && st[0] == exported -> answer[0] = 0; CHANGE(i, exported, failed, takeReturned); sep[0] = 0 }
    :: d_step { ANSWERED && st[0] == exported -> answer[0] = 0; CHANGE(i, exported, in_doubt, takeReturned) }
    :: d_step { ANSWERED && st[0] == in_doubt -> answer[0] = 0; CHANGE(i, in_doubt, failed, takeReturned); sep[0] = 0 }
    :: d_step { ANSWERED && st[0] != exported && st[0] != in_doubt -> answer[0] = 0 } /* for its history only */
    :: d_step { late[0] && !IN_HANDS(0) -> late[0] = 0; LATE_ONE }
    od
}
#endif

/* When nothing moves any more, nothing may be lost: every item has an end, or a person sees it. */
active proctype Onlooker() {
    byte i = 0;
    timeout ->
    d_step {
        assert(!busy[0] && !busy[1] && !busy[WORKERS - 1]);
        do
        :: i < ITEMS ->
            assert(st[i] != ready && !IN_HANDS(i));
            assert(st[i] != exported || copies[i] == 1);
            assert((st[i] != failed && st[i] != held) || copies[i] == 0 || RESTORED);
            i++
        :: else -> break
        od
    }
}
