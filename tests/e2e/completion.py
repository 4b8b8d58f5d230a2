#!/usr/bin/env python3
"""Completion in the shells themselves: bash, zsh and fish, at a prompt or by their own functions.

Each function named test_* is one test; one whose shell is not installed is skipped. Usage: completion.py BUILD_FOLDER [TEST ...]
"""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service_life import Skipped, check, run  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "packaging", "completion")
BUILD = ""
LIMIT = 120.0  # only against a shell that hangs: one call asks for dozens of lines, on a machine that may be busy

CONFIG = """
store = "%(folder)s/store"
[adapter.postoffice]
kind = "ccmail"
folder = "%(folder)s/out"
[adapter.boxes]
kind = "maildir"
folder = "%(folder)s/boxes"
[[route]]
recipient = "*"
adapter = "boxes"
"""


def needs(shell):
    if shutil.which(shell) is None:
        raise Skipped(f"{shell} is not installed")


class Place:
    """A folder with a configuration and some files, and `postern` in the PATH."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.config = os.path.join(self.folder, "postern.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG % {"folder": self.folder})
        for name in ("mail one.eml", "mail-two.eml"):
            open(os.path.join(self.folder, name), "w", encoding="utf-8").close()
        os.mkdir(os.path.join(self.folder, "mail-folder"))
        programs = os.path.join(BUILD, "connector", "cli")
        self.environment = {"PATH": programs + ":/usr/bin:/bin", "HOME": self.folder, "POSTERN_CONFIG": self.config, "LC_ALL": "C.UTF-8",
                            "TERM": "dumb"}
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def run(self, *words, **more):
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=LIMIT, check=False,
                              stdin=subprocess.DEVNULL, **more)
        check(done.stderr == "", f"{words[0]} said: {done.stderr}")
        return done.stdout.splitlines()


# What every shell must find: the words of a line, the last one to complete, and some of what is offered for it.
LINES = [
    (["queue", "rel"], {"release"}, {"retry"}),
    (["queue", "list", "--sta"], {"--state"}, {"--all"}),
    (["queue", "list", "--state", "in"], {"in_doubt"}, {"held"}),
    (["queue", "list", "--state", "held,in"], {"held,in_doubt"}, {"in_doubt"}),
    (["adapter", "test", ""], {"postoffice", "boxes"}, {"ccmail"}),
    (["queue", "list", "--adapter", "post"], {"postoffice"}, {"boxes"}),
    (["adapter", "add", "x", "cc"], {"ccmail"}, {"maildir"}),
    (["adapter", "set", "postoffice", "quote"], {"quote_sender="}, {"gateway="}),
    (["convert", "mail-t"], {"mail-two.eml"}, {"mail one.eml"}),
    (["queue", "export", "3", "--folder", "mail"], {"mail-folder/", "mail-folder"}, {"mail-two.eml"}),
    (["completion", ""], {"bash", "zsh", "fish"}, {"tcsh"}),
    (["queue", "show", ""], set(), {"postern.toml"}),
    (["nonsense", ""], set(), {"queue"}),
]


def judge(shell, ask):
    for words, wanted, unwanted in LINES:
        got = set(ask(words))
        fits = wanted <= got if len(wanted) != 2 or "mail-folder" not in wanted else wanted & got
        check(fits and not unwanted & got, f"{shell}: {' '.join(words)} gives {sorted(got)}")


def bash(place, words, before=""):
    line = shlex.join(["postern", *words]) if words[-1] else shlex.join(["postern", *words[:-1]]) + " "
    script = f"""{before or "source " + SOURCES + "/postern.bash"}
COMP_WORDS=({' '.join(shlex.quote(word) for word in ["postern", *words])})
COMP_CWORD={len(words)}
COMP_LINE={shlex.quote(line)}
COMP_POINT={len(line)}
_postern postern
[ ${{#COMPREPLY[@]}} -eq 0 ] || printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return place.run("bash", "--norc", "--noprofile", "-c", script)


def test_bash_completes_what_the_program_says():
    needs("bash")
    with Place() as place:
        judge("bash", lambda words: bash(place, words))
        # bash itself breaks words at "=".
        check(bash(place, ["queue", "list", "--state", "=", "in"]) == ["in_doubt"], "--state=in")
        check(bash(place, ["queue", "list", "--state", "="])[0] == "ready", "--state=")
        check("mail-two.eml" in bash(place, ["queue", "export", "3", "--output", "=", "mail-"]), "--output=mail-")


def test_bash_finds_the_installed_file_by_the_name_of_the_command():
    needs("bash")
    library = "/usr/share/bash-completion/bash_completion"
    if not os.path.exists(library):
        raise Skipped("bash-completion is not installed")
    with Place() as place:
        folder = os.path.join(place.folder, "share", "bash-completion", "completions")
        os.makedirs(folder)
        shutil.copy(os.path.join(SOURCES, "postern.bash"), os.path.join(folder, "postern"))
        place.environment["XDG_DATA_DIRS"] = os.path.join(place.folder, "share")
        load = f"source {library}; _completion_loader postern || :"
        check(bash(place, ["queue", "rel"], load) == ["release"], "it was not loaded")


class Prompt:
    """An interactive shell at a terminal of its own."""

    def __init__(self, place, *command):
        self.main, inner = pty.openpty()
        environment = {**place.environment, "TERM": "xterm", "PS1": "READY> "}
        self.process = subprocess.Popen(command, cwd=place.folder, env=environment, stdin=inner, stdout=inner, stderr=inner,
                                        start_new_session=True)
        os.close(inner)
        self.seen = ""

    def type(self, keys):
        os.write(self.main, keys.encode())

    def until(self, pattern):
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.seen):
            left = deadline - time.monotonic()
            check(left > 0, f"no {pattern} in {self.seen[-1500:]!r}")
            if select.select([self.main], [], [], min(left, 0.5))[0]:
                self.seen += os.read(self.main, 65536).decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.main)


def test_a_key_in_bash_completes_the_line():
    needs("bash")
    with Place() as place, Prompt(place, "bash", "--norc", "--noprofile", "-i") as prompt:
        prompt.until("READY> ")
        prompt.type(f"source {SOURCES}/postern.bash; bind 'set enable-bracketed-paste off'; echo load''ed\n")
        prompt.until("loaded\r")
        for typed, line in (("queue rele\t42", "postern queue release 42"), ("queue list --state=in_d\t", "--state=in_doubt "),
                            ("adapter set postoffice quote\ttr\t", "quote_sender=true "), ("convert mail\\ o\t", "convert mail\\\\ one.eml ")):
            prompt.seen = ""
            prompt.type(f"postern {typed}")
            prompt.until(re.escape(line).replace("\\\\\\\\", "\\\\"))
            prompt.type("\x15")


# Asks zsh's own completion: a shell inside a shell, whose list is written into files instead of shown.
ZSH = r"""
zmodload zsh/zpty zsh/zselect
integer i
await () { while [[ ! -e $1 ]]; do zpty -r -t inner seen || zselect -t 2; (( ++i > 4000 )) && exit 1; done }
zpty inner zsh -f -i
zpty -w inner 'PROMPT= RPROMPT=; fpath=(%(folder)s $fpath); autoload -Uz compinit; compinit -D -u
zstyle ":completion:*" verbose no
compadd () {
    local -a found; local each
    builtin compadd -O found "$@"
    for each in $found; do print -r -- "FOUND<$each>" >> %(folder)s/found; done
    builtin compadd "$@"
}
list () { _main_complete; compstate[insert]=; compstate[list]=; : >> %(folder)s/found; mv %(folder)s/found %(folder)s/answer.$(( ++asked )) }
integer asked; zle -C list complete-word list; bindkey "^X" list; bindkey "^U" kill-whole-line; : > %(folder)s/ready'
await %(folder)s/ready
"""


def zsh(place, lines):
    """What is offered for each of the lines."""
    script = ZSH % {"folder": place.folder}
    for number, line in enumerate(lines, 1):
        script += f"zpty -w -n inner {shlex.quote(line)}$'\\x18'\nawait {place.folder}/answer.{number}\nzpty -w -n inner $'\\x15'\n"
    place.run("zsh", "-f", "-c", script + "zpty -d inner")
    answers = []
    for number in range(1, len(lines) + 1):
        with open(os.path.join(place.folder, f"answer.{number}"), encoding="utf-8") as file:
            answers.append(re.findall(r"^FOUND<(.*)>$", file.read(), re.M))
    return answers


def test_zsh_completes_what_the_program_says():
    needs("zsh")
    with Place() as place:
        shutil.copy(os.path.join(SOURCES, "_postern"), place.folder)
        more = ["postern queue list --state=in", "postern queue export 3 --output=mail-"]
        answers = zsh(place, [" ".join(["postern", *words]) for words, _, _ in LINES] + more)
        judge("zsh", lambda words: answers[[line for line, _, _ in LINES].index(words)])
        check("--state=in_doubt" in answers[-2], f"--state=in: {answers[-2]}")
        check("mail-two.eml" in answers[-1], f"--output=mail-: {answers[-1]}")


def test_zsh_takes_the_file_as_it_is_printed():
    needs("zsh")
    with Place() as place:
        place.run("zsh", "-f", "-n", os.path.join(SOURCES, "_postern"))
        said = place.run("zsh", "-f", "-c", "autoload -Uz compinit; compinit -D -u; source <(postern completion zsh); print $_comps[postern]")
        check(said == ["_postern"], f"{said}")


def fish(place, line):
    said = place.run("fish", "--no-config", "-c", f"source {SOURCES}/postern.fish; complete -C {shlex.quote(line)}")
    return [each.partition("\t")[0] for each in said]


def test_fish_completes_what_the_program_says():
    needs("fish")
    with Place() as place:
        judge("fish", lambda words: fish(place, " ".join(["postern", *words])))
        check("--state=in_doubt" in fish(place, "postern queue list --state=in"), "--state=in")
        check("--output=mail-two.eml" in fish(place, "postern queue export 3 --output=mail-"), "--output=mail-")
        place.run("fish", "--no-config", "-n", os.path.join(SOURCES, "postern.fish"))


def test_the_program_prints_the_installed_files():
    with Place() as place:
        for shell, name in (("bash", "postern.bash"), ("zsh", "_postern"), ("fish", "postern.fish")):
            with open(os.path.join(SOURCES, name), encoding="utf-8") as file:
                check(place.run("postern", "completion", shell) == file.read().splitlines(), f"{shell}: another file")


def test_nothing_is_said_and_it_is_quick_without_configuration_or_service():
    with Place() as place:
        os.unlink(place.config)
        started = time.monotonic()
        for words in (["adapter", "test", ""], ["queue", "list", "--adapter", ""], ["address", "export", "--table", ""]):
            check(place.run("postern", "complete", "fish", "--", *words) == ["words"], f"{words}")
        # It takes some hundredths of a second each; a machine that does more than this test may take its time.
        check(time.monotonic() - started < 15.0, "it waits for something")


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
