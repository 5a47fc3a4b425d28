"""The manifests are valid, clean, and agree with the code and with each other."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.main import described
from app.settings import FILE, PREFIX, Settings, SettingsError, load
from app.web.server import DRAIN_SECONDS
from tests.deploy.dockerfile import ROOT, stages
from tests.deploy.manifests import K8S, documents, files, find

BIN = Path(sys.executable).parent
NAMES = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields} | {FILE}
YAML = [*files(), *K8S.rglob("kustomization.yaml"), ROOT / "examples"]
YAML += ROOT.glob("compose*.yaml")
WORKLOADS = {"base": "StatefulSet", "postgres": "Deployment"}
STYLE = (
    "{extends: default, rules: {document-start: disable, line-length: {max: 120},"
    " truthy: {check-keys: false}}}"
)


def run(*words: str | Path) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own linters
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module", params=WORKLOADS)
def workload(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What runs the pods, on either engine."""
    found: dict[str, Any] = find(WORKLOADS[request.param], folder=request.param)
    return found


@pytest.fixture(scope="module")
def pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def test_the_yaml_is_clean() -> None:
    assert run(BIN / "yamllint", "--strict", "-d", STYLE, *YAML) == ""


def test_every_manifest_is_strictly_valid_without_rendering() -> None:
    said = run(BIN / "kubernetes-validate", "--strict", *files())
    passed = re.findall(r"passed for resource (\S+)", said)
    whole = [document for path in files() for document in documents(path)]
    # Of the operator's own kind there is no schema; its references are checked below.
    assert len(passed) == len(whole) - 1
    assert re.findall(r"WARN .*kind (\w+)", said) == ["ServiceMonitor"]


def test_a_misspelt_field_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = (K8S / "base" / "statefulset.yaml").read_text("utf-8")
    wrong.write_text(text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"))
    with pytest.raises(AssertionError, match="readOnlyRootFileSystem"):
        run(BIN / "kubernetes-validate", "--strict", wrong)


@pytest.mark.parametrize("folder", ["base", "postgres", "example", "components/monitoring"])
def test_every_file_is_listed_and_every_listed_file_is_there(folder: str) -> None:
    listed = yaml.safe_load((K8S / folder / "kustomization.yaml").read_text("utf-8"))
    patches = [patch["path"] for patch in listed.get("patches", []) if "path" in patch]
    named = [*listed["resources"], *listed.get("components", []), *patches]
    assert all((K8S / folder / name).exists() for name in named)
    there = {path.name for path in (K8S / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in named if name.endswith(".yaml")} == there


def test_every_setting_that_is_named_exists() -> None:
    sources = [
        ROOT / "Dockerfile",
        *ROOT.glob("compose*.yaml"),
        ROOT / "docs" / "deploy.md",
        *files(),
    ]
    named = {
        name for path in sources for name in re.findall(r"TASSEI_[A-Z_]+", path.read_text("utf-8"))
    }
    comments = {"TASSEI_SERVICE_HOST"}  # what a service link would set
    assert named - comments <= NAMES
    assert {"TASSEI_DATA_DIR", "TASSEI_SECRET_KEY", "TASSEI_METRICS_PORT", FILE} <= named


def test_image_and_manifests_together_are_settings_that_load(container: dict[str, Any]) -> None:
    image = stages()[-1].environment
    configured = find("ConfigMap")["data"] | find("ConfigMap", folder="example")["data"]
    settings = load(image | configured)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": settings.port, "metrics": settings.metrics_port}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["data"] == str(settings.data_dir)
    assert container["env"] == [{"name": FILE, "value": f"{mounts['settings']}/settings"}]


def test_a_service_link_would_stop_the_start_so_there_is_none(pod: dict[str, Any]) -> None:
    name = find("Service")["metadata"]["name"].upper()
    for variable in (f"{name}_PORT", f"{name}_SERVICE_HOST"):
        with pytest.raises(SettingsError, match=variable):
            load({variable: "tcp://10.0.0.1:80"})
    assert pod["enableServiceLinks"] is False


def test_probes_ask_paths_that_exist(container: dict[str, Any]) -> None:
    paths = described(Settings()).openapi()["paths"]
    asked = {
        probe: (container[probe]["httpGet"]["path"], container[probe]["httpGet"]["port"])
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert all(path in paths for path, _ in asked.values())
    assert asked == {
        "startupProbe": ("/livez", "http"),
        "livenessProbe": ("/livez", "http"),
        "readinessProbe": ("/readyz", "http"),
    }


def test_the_grace_period_holds_the_pause_and_the_drain(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause + DRAIN_SECONDS + 10


def test_it_runs_as_the_images_user_with_no_right_it_does_not_need(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    user, group = map(int, stages()[-1].one("USER").split(":"))
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (user, group, group)
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_file_has_one_replica_and_a_server_several() -> None:
    assert find("StatefulSet")["spec"]["replicas"] == 1
    deployment = find("Deployment", folder="postgres")["spec"]
    assert deployment["replicas"] == 3
    # None goes before its successor serves, and a drain takes one at a time.
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    labels = deployment["template"]["metadata"]["labels"]
    budget = find("PodDisruptionBudget", folder="postgres")["spec"]
    assert budget["maxUnavailable"] == 1
    for spread in (*deployment["template"]["spec"]["topologySpreadConstraints"], budget):
        selector = spread.get("labelSelector") or spread["selector"]
        assert selector["matchLabels"].items() <= labels.items()
    probe = deployment["template"]["spec"]["containers"][0]["startupProbe"]
    patience = probe["periodSeconds"] * probe["failureThreshold"]
    assert patience < deployment["progressDeadlineSeconds"]


def test_the_two_pods_differ_in_what_the_engine_asks_for_alone() -> None:
    pods = [find(kind, folder=folder)["spec"]["template"] for folder, kind in WORKLOADS.items()]
    for one in pods:
        del one["spec"]["volumes"], one["spec"]["containers"][0]["startupProbe"]
        for mount in one["spec"]["containers"][0]["volumeMounts"]:
            if mount["name"] == "data":
                mount.pop("readOnly", None)
        one["spec"].pop("topologySpreadConstraints", None)
        one["spec"]["securityContext"].pop("fsGroupChangePolicy", None)
    assert pods[0] == pods[1]


def test_replicas_keep_nothing_and_cannot_make_a_key_of_their_own() -> None:
    spec = find("Deployment", folder="postgres")["spec"]["template"]["spec"]
    (data,) = (m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "data")
    assert data["readOnly"] is True
    assert {next(key for key in volume if key != "name") for volume in spec["volumes"]} == {
        "emptyDir",
        "secret",
    }


def test_rendered_for_a_server_there_is_no_set_with_a_volume() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    rendered = list(yaml.safe_load_all(run(kubectl, "kustomize", K8S / "postgres")))
    kinds = [document["kind"] for document in rendered]
    assert kinds.count("Deployment") == 1
    assert "StatefulSet" not in kinds
    ways = [document for document in rendered if document["kind"] == "NetworkPolicy"]
    ports = {
        port["port"]
        for way in ways
        for rule in way["spec"].get("egress", [])
        for port in rule["ports"]
    }
    assert ports == {53, 5432, 6432}


def test_the_workload_is_of_the_projects_version(container: dict[str, Any]) -> None:
    version = stages()[-1].labels["org.opencontainers.image.version"]
    assert container["image"] == f"tassei:{version}"
    assert container["args"] == stages()[-1].command("CMD")
    instructions = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    assert set(re.findall(r"tassei:(\d+\.\d+\.\d+)", instructions)) == {version}
    example = yaml.safe_load((K8S / "example" / "kustomization.yaml").read_text("utf-8"))
    assert [(image["name"], image["newTag"]) for image in example["images"]] == [
        ("tassei", version)
    ]


def test_services_policies_and_the_monitor_point_to_what_is_there(
    workload: dict[str, Any], container: dict[str, Any]
) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    labels = workload["spec"]["template"]["metadata"]["labels"]
    plain, headless = find("Service"), find("Service", "tassei-headless")
    for service in (plain, headless):
        assert service["spec"]["selector"].items() <= labels.items()
    assert [port["targetPort"] for port in plain["spec"]["ports"]] == ["http"]
    assert find("StatefulSet")["spec"]["serviceName"] == headless["metadata"]["name"]
    (scraped,) = headless["spec"]["ports"]
    assert (scraped["port"], scraped["targetPort"]) == (ports["metrics"], "metrics")
    monitor = find("ServiceMonitor", folder="components")["spec"]
    chosen = monitor["selector"]["matchLabels"].items()
    assert chosen <= headless["metadata"]["labels"].items()
    assert not chosen <= plain["metadata"]["labels"].items()
    assert [endpoint["port"] for endpoint in monitor["endpoints"]] == [scraped["name"]]
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(ports["metrics"])
    backend = find("Ingress", folder="example")["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"] == {"name": "tassei", "port": {"name": "http"}}


def test_metrics_are_for_monitoring_alone_and_egress_for_dns_alone() -> None:
    policy = find("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    inside, monitoring = policy["ingress"]
    assert inside == {
        "from": [{"podSelector": {}}],
        "ports": [{"port": "http", "protocol": "TCP"}],
    }
    assert [port["port"] for port in monitoring["ports"]] == ["metrics"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53}


@pytest.mark.parametrize("name", ["secret", "secret-postgres"])
def test_no_secret_is_in_the_kustomization_and_a_placeholder_is_refused(name: str) -> None:
    applied = [path for path in files() if path.parent != K8S]
    assert all(document["kind"] != "Secret" for path in applied for document in documents(path))
    keys = {"TASSEI_SECRET_KEY", "TASSEI_ADMIN_KEY"}
    names = {"secret": keys, "secret-postgres": keys | {"TASSEI_DATABASE_URL"}}[name]
    text = documents(K8S / f"{name}.example.yaml")[0]["stringData"]["settings"]
    placeholders = dict(line.split("=", 1) for line in text.splitlines())
    assert set(placeholders) == names
    for setting, value in placeholders.items():
        with pytest.raises(SettingsError, match=setting):
            load({setting: value})


def test_the_commands_beside_the_secret_make_values_that_are_accepted() -> None:
    text = (K8S / "secret.example.yaml").read_text("utf-8")
    commands = dict(re.findall(r"#   (TASSEI_\w+): python3 -c '(.+)'", text))
    made = {name: run(sys.executable, "-c", code).strip() for name, code in commands.items()}
    settings = load(made)
    assert settings.secret_key is not None
    assert len(base64.urlsafe_b64decode(settings.secret_key.get_secret_value())) == 32
    assert settings.admin_key is not None


def test_the_secret_that_the_pod_mounts_is_the_one_the_example_makes(pod: dict[str, Any]) -> None:
    (mounted,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    secret = documents(K8S / "secret.example.yaml")[0]
    assert mounted["secretName"] == secret["metadata"]["name"]
    assert list(secret["stringData"]) == ["settings"]
