#!/usr/bin/env python3
"""Writes the bill of materials of an installed or staged Postern: an SPDX 2.3 document in JSON.

Usage: make-sbom.py VERSION OUTPUT STAGE      (STAGE/usr has the programs)

It lists what the programs load when they run, found as the dynamic linker finds it, down to the C library, each by the Debian package and
version that it comes from on this machine; and the libraries that exist only as headers and are part of the programs. The document is
as old as SOURCE_DATE_EPOCH says and its name is made of what is in it, so that the same build gives the same bytes.
"""

import datetime
import functools
import hashlib
import json
import os
import re
import subprocess
import sys

PROGRAMS = ["sbin/posternd", "bin/postern", "bin/postern-sendmail", "libexec/postern/postern-runner"]
# Their notices stand in packaging/debian/copyright. toml++ is loaded as a library, but templates of it are part of the programs too.
HEADERS_ONLY = ["libcli11-dev"]
# By source package: what its debian/copyright says of the library itself.
LICENCES = {
    "cli11": "BSD-3-Clause",
    "expat": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libidn": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "openssl": "Apache-2.0",
    "pcre3": "BSD-3-Clause",
    "poco": "BSL-1.0",
    "sqlite3": "blessing",
    "tomlplusplus": "MIT",
    "zlib": "Zlib",
}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@functools.cache
def needed_by(path):
    """Names of the libraries that this program or library asks for itself."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "--dynamic", path))


def places(program):
    """Where the dynamic linker finds everything that the program needs, directly or not."""
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", program), re.MULTILINE))
    missing = re.findall(r"^\s*(\S+) => not found", output_of("ldd", program), re.MULTILINE)
    if missing:
        sys.exit(f"make-sbom.py: {program} needs {', '.join(missing)}, which is not there")
    return found


@functools.cache
def owner(path):
    """The Debian package of a file; the merged /usr makes that two possible names."""
    real = os.path.realpath(path)
    for name in dict.fromkeys([path, real, real.removeprefix("/usr"), "/usr" + real]):
        done = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(": ")[0].split(", ")[0]
    sys.exit(f"make-sbom.py: no Debian package has {path}")


class Materials:
    """Packages by name, and which needs which."""

    def __init__(self):
        self.packages = {}
        self.direct = set()
        self.edges = set()

    def add(self, name):
        short = name.split(":")[0]
        if short not in self.packages:
            fields = output_of("dpkg-query", "--show", "--showformat", "${Version}\t${Architecture}\t${source:Package}\t"
                               "${source:Version}\t${Homepage}", name).split("\t")
            self.packages[short] = dict(zip(["version", "arch", "source", "source_version", "home"], fields))
        return short

    def walk(self, program):
        where = places(program)
        for name in needed_by(program):
            if name in where:
                self.direct.add(self.add(owner(where[name])))
        for path in where.values():
            from_package = self.add(owner(path))
            for name in needed_by(path):
                if name in where:
                    self.edges.add((from_package, self.add(owner(where[name]))))


def spdx_id(name):
    return "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def entry(name, package):
    licence = LICENCES.get(package["source"], "NOASSERTION")
    return {
        "SPDXID": spdx_id(name),
        "name": name,
        "versionInfo": package["version"],
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "homepage": package["home"] or "NOASSERTION",
        "sourceInfo": f"built from the source package {package['source']} {package['source_version']}",
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name.replace('+', '%2B')}@"
                                f"{package['version'].replace('+', '%2B').replace(':', '%3A')}?arch={package['arch']}",
        }],
    }


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def document(version, materials):
    us = "SPDXRef-Package-postern"
    packages = [{
        "SPDXID": us,
        "name": "postern",
        "versionInfo": version,
        "supplier": "Organization: The Postern authors",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "copyrightText": "Copyright (c) 2026 The Postern authors",
        "primaryPackagePurpose": "APPLICATION",
    }]
    packages += [entry(name, package) for name, package in sorted(materials.packages.items())]
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", us)]
    relations += [relation(us, "DYNAMIC_LINK", spdx_id(name)) for name in sorted(materials.direct)]
    relations += [relation(us, "STATIC_LINK", spdx_id(name)) for name in HEADERS_ONLY]
    relations += [relation(spdx_id(one), "DEPENDS_ON", spdx_id(other)) for one, other in sorted(materials.edges) if one != other]
    made = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"postern-{version}",
        "creationInfo": {"creators": ["Tool: postern-make-sbom"], "created": created()},
        "packages": packages,
        "relationships": relations,
    }
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    # A name, not a place: the specification asks for a URI that no other document has.
    made["documentNamespace"] = f"urn:postern:sbom:{version}:{digest[:32]}"
    return made


def created():
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now(datetime.timezone.utc).timestamp())
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().split("\n\n")[1])
    version, output, stage = sys.argv[1:]
    materials = Materials()
    for program in PROGRAMS:
        materials.walk(os.path.join(stage, "usr", program))
    for name in HEADERS_ONLY:
        materials.add(name)
    with open(output, "w", encoding="utf-8") as file:
        json.dump(document(version, materials), file, indent=2, sort_keys=True)
        file.write("\n")
    os.chmod(output, 0o644)


if __name__ == "__main__":
    main()
