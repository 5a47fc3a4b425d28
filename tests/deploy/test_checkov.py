"""checkov on the Dockerfile and the manifests; what it is not believed in has a reason here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ROOT
from tools.checkov import Missing, find

pytestmark = pytest.mark.slow

NOT_BELIEVED = {
    "CKV_K8S_15": "pull always: the tag is the version and never moves, and a restart of the pod "
    "should not need the registry",
    "CKV_K8S_43": "image by digest: whoever builds the image has its digest only after pushing it",
}
ARGUMENTS = "--directory . --framework dockerfile kubernetes --skip-download --output json --quiet"


@pytest.fixture(scope="module")
def checkov() -> Path:
    try:
        return find()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


def test_checkov_finds_what_is_listed_here_and_nothing_else(checkov: Path, tmp_path: Path) -> None:
    # A folder of its own: it would read the whole project, and its ignored files too.
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    ran = subprocess.run(  # noqa: S603 - our own linter
        [str(checkov), *ARGUMENTS.split()],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    reports = {report["check_type"]: report for report in json.loads(ran.stdout)}
    assert set(reports) == {"dockerfile", "kubernetes"}, ran.stderr
    for report in reports.values():
        assert report["summary"]["parsing_errors"] == 0
        assert report["summary"]["skipped"] == 0
        assert report["summary"]["passed"] > 20
    failed = {
        check["check_id"]: f"{check['check_name']} ({check['file_path']})"
        for report in reports.values()
        for check in report["results"]["failed_checks"]
    }
    assert set(failed) == set(NOT_BELIEVED), failed


@pytest.mark.parametrize("said", ["(no uv here)", "(no network)"])
def test_a_machine_that_cannot_have_it_is_told_in_one_line(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said == "(no network)":
        uv = tmp_path / "uv"
        uv.write_text("#!/bin/sh\necho first >&2\necho no network >&2\nexit 2\n")
        uv.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing) as told:
        find(tmp_path / "cache")
    assert str(told.value) == f"checkov is missing and cannot be installed from PyPI {said}"
