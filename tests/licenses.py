"""List the licenses of everything that ends up in the wheel, and of what it needs at run time.

    python tests/licenses.py    # writes THIRD-PARTY-LICENSES.txt

The compiled module contains Rust crates, so the wheel has to carry their terms. Python packages are
installed beside it with their own. `test_licenses.py` fails when the list is out of date, or when
a license is none of those that an Apache-2.0 project may be distributed with.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
NATIVE = ROOT / "dedup" / "native"
LIST = ROOT / "THIRD-PARTY-LICENSES.txt"

# Category A of https://www.apache.org/legal/resolved.html: they may be part of an Apache-2.0 work.
ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "0BSD",
    "CC0-1.0",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Python-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "ZPL-2.1",
}
# Category B: fine beside an Apache-2.0 work, as a package of its own.
ALLOWED_BESIDE = ALLOWED | {"MPL-2.0"}
# What packages without a license expression say in their metadata.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}


def linked_crates() -> dict[str, str]:
    """Return `name version` and license of each crate compiled into the module."""
    command = [
        "cargo",
        "tree",
        "--locked",
        "--manifest-path",
        str(NATIVE / "python" / "Cargo.toml"),
    ]
    # Procedural macros run while compiling; all targets, so that every platform gets one list.
    command += ["-e", "normal,no-proc-macro", "--target", "all"]
    command += ["--prefix", "none", "--format", "{p}|{l}|{r}"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    crates = {}
    for line in printed.splitlines():
        name, license, _ = line.removesuffix(" (*)").split("|")
        if not name.startswith(("dedup-native ", "dedup-core ")):
            crates[name.replace(" v", " ", 1)] = license
    return dict(sorted(crates.items()))


def required_packages() -> dict[str, str]:
    """Return name and license of each Python package that an installed dedup needs."""
    found: dict[str, str] = {}
    waiting = [_name_in(line) for line in metadata.requires("dedup") or () if "extra" not in line]
    while waiting:
        name = waiting.pop().lower()
        if name in found:
            continue
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # for another platform or Python
            continue
        found[name] = _license_of(package)
        needs = metadata.requires(name) or ()
        waiting += [_name_in(line) for line in needs if "extra ==" not in line]
    return dict(sorted(found.items()))


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Tell whether an SPDX expression leaves a choice that is allowed."""
    flat = expression.replace("(", " ").replace(")", " ").replace("/", " OR ")
    choices = re.split(r"\s+OR\s+", flat) if " AND " not in flat else [flat]
    parts = (re.split(r"\s+(?:AND|OR)\s+", choice.strip()) for choice in choices)
    return any(all(part.strip() in allowed for part in choice) for choice in parts)


def render() -> str:
    """Return the text of the list."""
    crates = linked_crates()
    texts: dict[str, list[str]] = defaultdict(list)
    lines = []
    folders = _folders()
    for crate, license in crates.items():
        lines.append(f"{crate}: {license}")
        if "Apache-2.0" not in re.split(r"\s+OR\s+|/", license):  # its text is in LICENSE
            for text in _license_texts(folders[crate]):
                texts[text].append(crate)
    parts = [
        "The compiled module of dedup contains these Rust crates. Where a crate may be used under\n"
        "the Apache License 2.0, it is, and the file LICENSE has the terms; the others follow.\n",
        "\n".join(lines) + "\n",
    ]
    for text, owners in sorted(texts.items(), key=lambda item: item[1]):
        parts.append(f"{'-' * 80}\n{', '.join(owners)}\n{'-' * 80}\n\n{text}\n")
    return "\n".join(parts)


def _folders() -> dict[str, Path]:
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    command += ["--manifest-path", str(NATIVE / "python" / "Cargo.toml")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    packages = json.loads(printed)["packages"]
    return {f"{p['name']} {p['version']}": Path(p["manifest_path"]).parent for p in packages}


def _license_texts(folder: Path) -> list[str]:
    files = sorted(path for path in folder.glob("LICENSE*") if path.is_file())
    kept = [path for path in files if "APACHE" not in path.name.upper()]
    return ["\n".join(line.rstrip() for line in p.read_text().strip().splitlines()) for p in kept]


def _name_in(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found.group()


def _license_of(package: metadata.PackageMetadata) -> str:
    if expression := package.get("License-Expression"):
        return expression
    for classifier in package.get_all("Classifier") or ():
        name = classifier.rpartition(" :: ")[2]
        if classifier.startswith("License ::") and name in _CLASSIFIERS:
            return _CLASSIFIERS[name]
    return (package.get("License") or "unknown").splitlines()[0]


if __name__ == "__main__":
    LIST.write_text(render(), encoding="utf-8")
