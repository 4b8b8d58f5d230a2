#!/usr/bin/env python3
"""One list of states and one list of changes, in four places: the model (claim.pml), the code (queue/*.cpp, *.h), the database
(0002_queue.sql) and the document (docs/STATES.md). Compared by name; says every difference and fails when there is one.

A change is (who, from, to). From the code it is read where the code says it: the UPDATEs of `item` that set a state, and the table
of operators' verbs. An UPDATE that this script does not know is a difference: a new change of state has to be put here, into
the document and into the model, or into LEFT_OUT with its reason."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NAMES = r"ready|claimed|publishing|exported|failed|held|in_doubt|deleted"

# What the model has not, and why. Everything else must be in it.
LEFT_OUT = {
    ("enqueue", "", "ready"): "its item is there from the beginning",
    ("enqueue", "", "held"): "as an item that an operator held at once",
    ("takeReturned", "in_doubt", "exported"): "wants several recipients, the model's item has one",
    ("takeReturned", "exported", "ready"): "the policy on_doubt = resend, which gives up the promise knowingly",
}

# The statements that change a state: file, the constant's name, and the function of the document that it belongs to.
STATEMENTS = {
    ("queue/claim_sql.h", "kClaimOrdinary"): "claim",
    ("queue/claim_sql.h", "kClaimSuspect"): "claim",
    ("queue/claim.cpp", "kMark"): "markPublishing",
    ("queue/claim.cpp", "kGiveBack"): "giveBack",
    ("queue/lapse.cpp", "kBackToReady"): "takeLapsed",
    ("queue/lapse.cpp", "kSetAside"): "takeLapsed",
    ("queue/lapse.cpp", "kTakeOver"): "takeLapsed",
    ("queue/lapse.cpp", "kSetInDoubt"): "takeLapsed",
    ("queue/restored.cpp", "kHold"): "markRestored",
}
# Those whose new state is a parameter: what may come in, and from where, as read from the code beside them.
BY_PARAMETER = {
    ("queue/settle.cpp", "kSettle"),
    ("queue/operate.cpp", "kChange"),
    ("queue/move.cpp", "kEnd"),
    ("queue/lapse.cpp", "kFailExpired"),
    ("queue/returned.cpp", "kEnd"),
    ("queue/returned.cpp", "kDoubt"),
}
NO_CHANGE = {("queue/claim.cpp", "kRenew"), ("queue/set_back.cpp", "kDueNow"), ("queue/waited_for.cpp", "kDueNow"), ("queue/lapse.cpp", "kNote"), ("queue/restored.cpp", "kOthers"), ("queue/settle.cpp", "kLater")}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def statements(faults):
    """Every UPDATE of item in the queue, by the constant that holds it; the tests' unguarded ones are left alone."""
    found = {}
    for name in sorted(os.listdir(os.path.join(ROOT, "queue"))):
        if not name.endswith((".cpp", ".h")):
            continue
        path = "queue/" + name
        text = read(path)
        for match in re.finditer(r"(k[A-Z]\w+)(?:\[\])? =(.*?);\n", text, re.S):
            if "UPDATE item" in match.group(2) and not match.group(1).endswith("Unguarded"):
                found[path, match.group(1)] = " ".join(match.group(2).replace('"', " ").split())
        if text.count("UPDATE item") > sum(statement.count("UPDATE item") for (at, _), statement in found.items() if at == path) + len(
                re.findall(r"Unguarded\[\] = R\"sql\(\s*UPDATE item", text)):
            faults.append(f"{path}: an UPDATE of item that is no constant of its own")
    known = set(STATEMENTS) | BY_PARAMETER | NO_CHANGE
    faults += [f"{path}: {name} changes items, and is not known here" for path, name in found if (path, name) not in known]
    faults += [f"{path}: there is no {name} any more" for path, name in known if (path, name) not in found]
    for key in NO_CHANGE:
        if re.search(r"SET (?:[^W]|W(?!HERE))*\bstate =", found.get(key, "")):
            faults.append(f"{key[0]}: {key[1]} sets a state")
    return found


def literal(statement):
    """(from, to) of a statement that says both."""
    setting, _, guard = statement.partition(" WHERE ")
    to = re.findall(rf"\bstate = '({NAMES})'", setting)
    since = re.findall(rf"\bstate = '({NAMES})'", guard.split("AND NOT EXISTS")[0].split("RETURNING")[0])
    listed = re.findall(r"\bstate IN \(([^)]*)\)", guard)
    if listed and not since:
        since = re.findall(r"'(\w+)'", listed[0])
    if not to:
        to = [since[-1]]
    return {(each, to[0]) for each in since}


def cased(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def in_code(faults):
    found = statements(faults)
    changes = {("enqueue", "", state) for state in re.findall(r"iif\(\?6 = '', '(\w+)', '(\w+)'\)", read("queue/queue.cpp"))[0]}
    for key, who in STATEMENTS.items():
        changes |= {(who, start, end) for start, end in literal(found.get(key, ""))} if key in found else set()
    settle = read("queue/settle.cpp")
    ends = {cased(kind): cased(state) for kind, state in re.findall(r"case Kind::(\w+): return State::(\w+);", settle)}
    published = {cased(kind) for kind in re.findall(r"settlement\.kind == Kind::(\w+)",
                                                   re.search(r"ending\.published = (.*?);", settle, re.S).group(1))}
    guard = found[("queue/settle.cpp", "kSettle")].partition(" WHERE ")[2]
    if "epoch = ?2 AND (state = 'publishing' OR (state = 'claimed' AND ?3 = 0))" not in guard:
        faults.append("queue/settle.cpp: kSettle has another guard than this script knows")
    for kind, state in ends.items():
        changes.add(("settle", "publishing", state))
        if kind not in published:
            changes.add(("settle", "claimed", state))
    for name, since, to in re.findall(r'"([a-z-]+)",\s*\{((?:State::\w+(?:, )?)+)\},\s*State::(\w+),', read("queue/operate.cpp")):
        changes |= {(name, cased(each), cased(to)) for each in re.findall(r"State::(\w+)", since)}
    takes = re.search(r"const bool takes =(.*?);", read("queue/move.cpp"), re.S).group(1)
    changes |= {("moveItem", cased(each), "deleted") for each in re.findall(r"State::(\w+)", takes)}
    changes.add(("failExpired", "ready", "failed"))
    if "WHERE id = ?1 AND state = 'ready'" not in found[("queue/lapse.cpp", "kFailExpired")]:
        faults.append("queue/lapse.cpp: kFailExpired has another guard than this script knows")
    returned = read("queue/returned.cpp")
    if not re.search(r"standing->state == State::Exported \|\| standing->state == State::InDoubt", returned):
        faults.append("queue/returned.cpp: takeReturned takes other states than this script knows")
    changes |= {("takeReturned", "exported", "failed"), ("takeReturned", "in_doubt", "failed"), ("takeReturned", "in_doubt", "exported")}
    doubt = re.search(r"const State to = answer\.resend \? State::(\w+) : State::(\w+);", returned).groups()
    changes |= {("takeReturned", "exported", cased(each)) for each in doubt}
    return changes


def in_document(faults):
    text = read("docs/STATES.md")
    states = set(re.findall(r"^\| `(\w+)` \|", text.partition("\n## Changes")[0], re.M))
    changes = set()
    table = text.partition("\n## Changes")[2].partition("\n## ")[0]
    for line in table.splitlines():
        cell = line.split("|")[1].strip() if line.startswith("| ") else ""
        row = re.match(r"(.*?)→ (.*?) \(`([\w-]+)`", cell)
        if not row:
            continue
        start, end, who = row.groups()
        stays = re.findall(r"(\w+) stays", end)
        starts = re.findall(rf"\b({NAMES}|final)\b", start) or [""]
        ends = set(re.findall(rf"\b({NAMES}|gone)\b", end)) - (set(stays) if len(end.split(",")) == 1 else set())
        ends |= set(re.findall(rf"; → ({NAMES})\b", cell))
        changes |= {(who, one, other) for one in starts for other in ends}
        changes |= {(who, each, each) for each in stays}
    changes = {each for each in changes if each[2] != "gone"}
    if not changes:
        faults.append("docs/STATES.md: its table of changes can not be read")
    return states, changes


def in_model():
    text = read("tests/proof/model/claim.pml")
    states = set(re.search(r"mtype = \{ (ready,[^}]*?), purged \}", text).group(1).split(", "))
    changes = {(who.replace("_", "-"), start, end) for start, end, who in re.findall(r"\bCHANGE\(i, (\w+), (\w+), (\w+)\)", text)}
    return states, {each for each in changes if each != ("who", "from", "to")}


def compare(faults, what, one, mine, other, theirs):
    for each in sorted(mine - theirs):
        faults.append(f"{what} {each if isinstance(each, str) else '{1} -> {2} ({0})'.format(*each)}: in {one}, not in {other}")


def main():
    faults = []
    enum = {cased(each) for each in re.findall(r"\w+", re.search(r"enum class State \{(.*?)\}", read("queue/item.h"), re.S).group(1))}
    named = set(re.findall(r'case State::\w+: return "(\w+)";', read("queue/item.cpp")))
    checked = set(re.findall(r"'(\w+)'", re.search(r"CHECK \(state = ([^)]*)\)", read("queue/schema/0002_queue.sql")).group(1)))
    code = in_code(faults)
    written, document = in_document(faults)
    modelled, model = in_model()
    for name, states in (("queue/item.cpp", named), ("0002_queue.sql", checked), ("docs/STATES.md", written), ("claim.pml", modelled)):
        compare(faults, "state", "queue/item.h", enum, name, states)
        compare(faults, "state", name, states, "queue/item.h", enum)
    compare(faults, "change", "the code", code, "docs/STATES.md", document)
    compare(faults, "change", "docs/STATES.md", document, "the code", code)
    compare(faults, "change", "the code", code - set(LEFT_OUT), "claim.pml", model)
    compare(faults, "change", "claim.pml", model, "the code", code)
    faults += [f"{each} is in claim.pml and in LEFT_OUT" for each in set(LEFT_OUT) & model]
    faults += [f"{each} is in LEFT_OUT and not in the code" for each in set(LEFT_OUT) - code]
    print("\n".join(faults) if faults else f"one list: {len(enum)} states, {len(code)} changes, {len(model)} of them in the model")
    return 1 if faults else 0


sys.exit(main())
