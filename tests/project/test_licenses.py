"""Everything shipped or required may be used in an Apache-2.0 project, and is listed."""

from __future__ import annotations

import shutil

import pytest
from licenses import (
    ALLOWED,
    ALLOWED_BESIDE,
    LIST,
    is_allowed,
    linked_crates,
    render,
    required_packages,
)

needs_cargo = pytest.mark.skipif(
    shutil.which("cargo") is None, reason="an installed wheel is tested without a Rust toolchain"
)


@needs_cargo
def test_every_linked_crate_may_be_part_of_an_apache_work():
    refused = {n: e for n, e in linked_crates().items() if not is_allowed(e, ALLOWED)}
    assert refused == {}


@needs_cargo
def test_the_list_of_licenses_is_up_to_date():
    assert LIST.read_text(encoding="utf-8") == render(), "run: python tests/licenses.py"


def test_every_required_package_may_be_used_beside_an_apache_work():
    packages = required_packages()
    assert {"click", "datasketch", "pyarrow", "scikit-learn"} <= set(packages)
    refused = {n: e for n, e in packages.items() if not is_allowed(e, ALLOWED_BESIDE)}
    assert refused == {}


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", True),
        ("MIT OR Apache-2.0 OR LGPL-2.1-or-later", True),
        ("MIT/Apache-2.0", True),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("MIT AND GPL-3.0", False),
        ("GPL-3.0", False),
        ("unknown", False),
    ],
)
def test_a_choice_of_licenses_needs_one_that_is_allowed(expression, verdict):
    assert is_allowed(expression, ALLOWED) is verdict
