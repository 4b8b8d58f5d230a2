"""How the package, the source tarball and the bill of materials are made, and what is in them."""

import functools
import glob
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from service_life import Skipped, check  # noqa: E402

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROGRAMS = ["usr/sbin/posternd", "usr/bin/postern", "usr/bin/postern-sendmail", "usr/libexec/postern/postern-runner"]
state = {}


def begin(build):
    """A folder to work in, named after this process; those of processes that were killed go."""
    for old in glob.glob(os.path.join(glob.escape(build), "package-test-*")):
        process = old.rpartition("package-test-")[2].partition("-")[0]
        if not process.isdigit() or not os.path.exists(f"/proc/{process}"):
            shutil.rmtree(old, ignore_errors=True)
    state.update(build=build, work=tempfile.mkdtemp(prefix=f"package-test-{os.getpid()}-", dir=build))
    return state["work"]


def end(work):
    shutil.rmtree(work, ignore_errors=True)


def run(*command, **options):
    """What the command prints; its output in the failure when it ends badly."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, **options)
    check(done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def needs(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Skipped(f"{tool} is not installed")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def make(folder, **environment):
    needs("dpkg-shlibdeps", "dpkg-deb")
    # As it is shipped but for xz, which takes longest of all.
    run(os.path.join(ROOT, "packaging", "make-deb.sh"), "--from", state["build"], folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip",
        env={**os.environ, **environment})
    names = os.listdir(folder)
    check(len(names) == 1 and names[0].endswith(".deb"), f"not one package: {names}")
    return os.path.join(folder, names[0])


@functools.cache
def package():
    return make(os.path.join(state["work"], "one"))


@functools.cache
def unpacked():
    folder = os.path.join(state["work"], "unpacked")
    run("dpkg-deb", "--raw-extract", package(), folder)
    return folder


def version():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(postern VERSION ([0-9.]+)", file.read()).group(1)


def field(name):
    return run("dpkg-deb", "--field", package(), name).strip()


def test_one_build_packed_twice_gives_the_same_bytes():
    other = make(os.path.join(state["work"], "two"), TZ="Asia/Tokyo", LC_ALL="C.UTF-8")
    check(os.path.basename(other) == os.path.basename(package()), "another name")
    check(digest(other) == digest(package()), "other bytes")
    shutil.rmtree(os.path.dirname(other))


def test_lintian_finds_no_error_and_no_warning():
    needs("lintian")
    done = subprocess.run(["lintian", "--profile", "debian", "--allow-root", "--fail-on", "error,warning", package()],
                          capture_output=True, text=True, timeout=300, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)


def test_every_file_is_roots_and_in_its_place():
    lines = run("dpkg-deb", "--contents", package()).splitlines()
    found = {}
    for line in lines:
        mode, owner, _, _, _, name = line.split(None, 5)
        found[name.split(" -> ")[0].removeprefix("./").rstrip("/")] = mode
        check(owner == "root/root", line)
        check(mode in ("drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--", "lrwxrwxrwx"), line)
        check(mode != "-rwxr-xr-x" or name.removeprefix("./") in PROGRAMS, f"a program? {line}")
        check(re.match(r"\./(|etc/(logrotate\.d/(postern)?)?|usr/.*)$", name), f"a strange place: {line}")
    wanted = PROGRAMS + ["usr/bin/postern-mailq", "usr/lib/systemd/system/postern.service", "usr/lib/systemd/system/postern.socket",
                         "usr/lib/sysusers.d/postern.conf", "usr/lib/tmpfiles.d/postern.conf", "etc/logrotate.d/postern",
                         "usr/share/postern/first.toml", "usr/include/postern/adapter.h", "usr/share/doc/postern/copyright",
                         "usr/share/doc/postern/changelog.gz", "usr/share/doc/postern/changelog.Debian.gz",
                         "usr/share/doc/postern/README.md", "usr/share/doc/postern/docs/PACKAGE.md",
                         "usr/share/doc/postern/examples/postern.toml", "usr/share/doc/postern/examples/adapters/ccmail.toml",
                         "usr/share/man/man1/postern.1.gz", "usr/share/man/man5/postern-ccmail.5.gz", "usr/share/man/man8/posternd.8.gz",
                         "usr/share/bash-completion/completions/postern", "usr/share/zsh/vendor-completions/_postern",
                         "usr/share/fish/vendor_completions.d/postern.fish",
                         "usr/share/doc/postern/examples/systemd/folders.conf", "usr/share/doc/postern/postern.spdx.json"]
    missing = [name for name in wanted if name not in found]
    check(not missing, f"missing: {missing}")
    check(not any("sendmail" in name and "postern-sendmail" not in name for name in found), "it takes over the system's sendmail")
    check(not any(name.startswith(("usr/sbin/mailq", "usr/bin/mailq")) for name in found), "it takes over the system's mailq")


def test_the_control_fields_say_what_it_is_and_needs():
    check(field("Package") == "postern", "its name")
    check(re.fullmatch(re.escape(version()) + r"-\d+", field("Version")), f"version {field('Version')} of {version()}")
    check(field("Section") == "mail" and field("Priority") == "optional", "section or priority")
    depends = field("Depends")
    for each in ("libc6 (>=", "libsqlite3-0 (>=", "libssl3 (>=", "libpoconet80", "systemd | systemd-standalone-sysusers"):
        check(each in depends, f"it does not need {each}: {depends}")
    check("systemd | systemd-standalone-tmpfiles" in depends, f"nothing makes its folders: {depends}")
    check(field("Recommends") == "ca-certificates, tzdata", field("Recommends"))
    check("-dev" not in depends, f"it needs a library's headers: {depends}")
    for each in ("Provides", "Conflicts", "Replaces"):
        check(field(each) == "", f"{each}: {field(each)}")
    for script in ("postinst", "prerm", "postrm"):
        run("dash", "-n", os.path.join(unpacked(), "DEBIAN", script))


def test_the_programs_are_stripped_and_look_for_libraries_only_where_the_system_does():
    for name in PROGRAMS:
        path = os.path.join(unpacked(), name)
        check(".debug_info" not in run("readelf", "--sections", "--wide", path), f"{name} is not stripped")
        check(not re.search(r"R(UN)?PATH", run("readelf", "--dynamic", path)), f"{name} has a path of its own for libraries")


def is_hardened():
    """Whether this is a build of the preset "package"."""
    with open(os.path.join(state["build"], "CMakeCache.txt"), encoding="utf-8") as file:
        return bool(re.search(r"^CMAKE_EXE_LINKER_FLAGS:[A-Z]+=.*-z,now", file.read(), re.MULTILINE))


def test_the_programs_are_as_hard_as_their_build_promises():
    for name in PROGRAMS:
        path = os.path.join(unpacked(), name)
        head, segments = run("readelf", "--file-header", path), run("readelf", "--program-headers", "--wide", path)
        check(re.search(r"Type:\s+DYN", head) and "GNU_RELRO" in segments, f"{name} stands at a fixed place, or its tables may be written")
        check(re.search(r"GNU_STACK.* RW ", segments), f"{name}: its stack may be executed")
        if not is_hardened():
            continue
        check("BIND_NOW" in run("readelf", "--dynamic", path), f"{name} binds late")
        symbols = run("readelf", "--dyn-syms", "--wide", path)
        check("__stack_chk_fail" in symbols and re.search(r"__\w+_chk\b", symbols), f"{name} does not guard its stack and buffers")
        with open(path, "rb") as file:
            check(os.fsencode(ROOT) not in file.read(), f"{name} names the folder of the sources")


def test_the_documents_in_it_lead_somewhere():
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/lint/documents.py"), os.path.join(unpacked(), "usr/share/doc/postern")],
                          capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)


def script_of_the_bill():
    where = importlib.util.spec_from_file_location("make_sbom", os.path.join(ROOT, "packaging", "make-sbom.py"))
    module = importlib.util.module_from_spec(where)
    where.loader.exec_module(module)
    return module


def test_what_is_compiled_in_goes_with_its_notice():
    """Of every library that the build asks for: either it is loaded, or its notice is in the package."""
    with open(os.path.join(unpacked(), "usr/share/doc/postern/copyright"), encoding="utf-8") as file:
        stanzas = file.read().split("\n\n")
    noticed = {name: stanza for stanza in stanzas for name in re.findall(r"\((lib[^)]+-dev)\)", stanza)}
    script = script_of_the_bill()
    licences = {"libcli11-dev": script.LICENCES["cli11"], "libtomlplusplus-dev": script.LICENCES["tomlplusplus"].replace("MIT", "Expat")}
    for name in [*script.HEADERS_ONLY, "libtomlplusplus-dev"]:
        check(name in noticed, f"{name} is compiled in without its notice")
        check(f"License: {licences[name]}" in noticed[name].splitlines(), f"{name}: {noticed[name]}")
        check(any(each.startswith(f"License: {licences[name]}\n ") for each in stanzas), f"{name}: the licence has no text")
    loaded = {each["name"] for each in bill()["packages"]}
    with open(os.path.join(ROOT, "packaging/debian-build-packages.txt"), encoding="utf-8") as file:
        asked = re.findall(r"^(lib\S+-dev)\s*$", file.read(), re.MULTILINE)
    check(len(asked) > 4, f"{asked}")
    for name in asked:
        needs_these = set(re.findall(r"[a-z0-9][a-z0-9.+-]+", run("dpkg-query", "--show", "--showformat", "${Depends}", name)))
        for_tests_only = name.startswith(("libbenchmark", "libgmime", "libgmock", "libgtest"))
        known = for_tests_only or name in noticed or needs_these & loaded
        check(known, f"{name}: neither is a library of it loaded nor its notice in the package")


def bill():
    with open(os.path.join(unpacked(), "usr/share/doc/postern/postern.spdx.json"), encoding="utf-8") as file:
        return json.load(file)


def test_the_bill_of_materials_has_the_form_of_SPDX_2_3():
    made = bill()
    check(made["spdxVersion"] == "SPDX-2.3" and made["dataLicense"] == "CC0-1.0" and made["SPDXID"] == "SPDXRef-DOCUMENT", "its head")
    check(re.fullmatch(r"[a-z]+:[^#\s]+", made["documentNamespace"]), "its namespace")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["creationInfo"]["created"]), "its time")
    check(all(re.match(r"(Tool|Organization|Person): \S", each) for each in made["creationInfo"]["creators"]), "its makers")
    known = {"SPDXRef-DOCUMENT"}
    for each in made["packages"]:
        check(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each["SPDXID"]) and each["SPDXID"] not in known, f"id {each['SPDXID']}")
        known.add(each["SPDXID"])
        for needed in ("name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"):
            check(isinstance(each.get(needed), str) and each[needed], f"{each['name']} has no {needed}")
        check(each["filesAnalyzed"] is False, "it says that files were analysed")
        check(each["licenseDeclared"] != "NOASSERTION", f"{each['name']}: nobody looked up its licence (packaging/make-sbom.py)")
        for reference in each.get("externalRefs", []):
            check(reference["referenceCategory"] == "PACKAGE-MANAGER" and reference["referenceType"] == "purl", f"{reference}")
            check(re.fullmatch(r"pkg:deb/debian/[^@\s]+@[^?\s]+\?arch=\w+", reference["referenceLocator"]), f"{reference}")
    for each in made["relationships"]:
        check(each["spdxElementId"] in known and each["relatedSpdxElement"] in known, f"{each} is about something unknown")
        check(each["relationshipType"] in ("DESCRIBES", "DYNAMIC_LINK", "STATIC_LINK", "DEPENDS_ON"), f"{each}")
    described = [each for each in made["relationships"] if each["relationshipType"] == "DESCRIBES"]
    check(len(described) == 1 and described[0]["relatedSpdxElement"] == "SPDXRef-Package-postern", f"{described}")


def test_the_bill_of_materials_has_every_package_that_ours_depends_on():
    listed = {each["name"] for each in bill()["packages"]}
    needed = {each.split()[0] for each in field("Depends").split(", ") if not each.startswith(("systemd", "procps"))}
    check(needed <= listed, f"not in it: {needed - listed}")
    ours = {each["relatedSpdxElement"] for each in bill()["relationships"] if each["relationshipType"] == "DYNAMIC_LINK"}
    check({"SPDXRef-Package-" + name.replace("+", "-") for name in needed} <= ours, f"not linked: {needed} {ours}")


def test_the_source_tarball_is_the_same_twice_and_whole():
    needs("git")
    if not os.path.exists(os.path.join(ROOT, ".git")):
        raise Skipped("this is no git clone")
    made = []
    for folder in ("source-one", "source-two"):
        target = os.path.join(state["work"], folder)
        run(os.path.join(ROOT, "packaging", "make-source.sh"), target)
        made.append(os.path.join(target, f"postern-{version()}.tar.gz"))
    check(digest(made[0]) == digest(made[1]), "other bytes")
    committed = set(run("git", "-C", ROOT, "ls-tree", "-r", "--name-only", "-z", "HEAD").strip("\0").split("\0"))
    with tarfile.open(made[0]) as tar:
        names = {each.name.removeprefix(f"postern-{version()}/") for each in tar.getmembers() if not each.isdir()}
        times = {each.mtime for each in tar.getmembers()}
    check(names == committed, f"differs in {sorted(names ^ committed)[:10]}")
    check(len(times) == 1, "files of different age")
