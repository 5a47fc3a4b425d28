"""The manifests as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.deploy.dockerfile import ROOT

K8S = ROOT / "k8s"
Document = dict[str, Any]


def files() -> list[Path]:
    """Every manifest; a kustomization is an instruction about them."""
    return sorted(path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml")


def documents(path: Path) -> list[Document]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def find(kind: str, name: str = "tassei", folder: str = "base") -> Document:
    (found,) = (
        document
        for path in files()
        if folder in path.parts
        for document in documents(path)
        if (document["kind"], document["metadata"]["name"]) == (kind, name)
    )
    return found
