"""What is in a wheel: the package, its compiled module and the licenses, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from checkout import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("cargo") is None, reason="an installed wheel is tested without a Rust toolchain"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """Build it as `maturin develop --release` did, so that nothing is compiled again."""
    folder = tmp_path_factory.mktemp("wheel")
    maturin = [sys.executable, "-m", "maturin", "build", "--release", "--quiet"]
    subprocess.run([*maturin, "--out", str(folder)], cwd=ROOT, check=True)
    (path,) = folder.glob("*.whl")
    with ZipFile(path) as archive:
        yield archive


def test_a_wheel_has_no_sources_of_the_compiled_module(wheel):
    names = wheel.namelist()
    assert "dedup/_native.abi3.so" in names
    assert not [name for name in names if name.startswith("dedup/native/")]
    assert not [
        name
        for name in names
        if name.endswith((".rs", ".toml", ".lock", ".d")) and not name.startswith("dedup/bundled/")
    ]


def test_a_wheel_has_no_debug_information(wheel):
    module = wheel.read("dedup/_native.abi3.so")
    # As names of sections end; the standard library also looks for these names in other files.
    sections = {
        name for name in (b".text", b".debug_info", b".symtab") if b"\0%b\0" % name in module
    }
    assert sections == {b".text"}


def test_a_wheel_has_the_licenses_of_all_it_contains(wheel):
    licenses = [name for name in wheel.namelist() if ".dist-info/licenses/" in name]
    assert {Path(name).name for name in licenses} == {"LICENSE", "THIRD-PARTY-LICENSES.txt"}


def test_a_wheel_runs_on_every_supported_python(wheel):
    assert "-cp310-abi3-" in Path(wheel.filename).name


def test_a_wheel_does_not_name_the_folder_it_was_built_in(wheel):
    texts = [name for name in wheel.namelist() if not name.endswith(".so")]
    assert not [name for name in texts if str(ROOT).encode() in wheel.read(name)]
