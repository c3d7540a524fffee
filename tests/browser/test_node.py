"""The JavaScript client where no browser is needed: its own tests, by Node's runner."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client"
OLDEST = 20


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"There is no {name} here: install Node.js {OLDEST} or newer.")
    return path


def run(*command: str, within: Path = CLIENT) -> str:
    done = subprocess.run(command, cwd=within, capture_output=True, text=True, timeout=50)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}", pytrace=False)
    return done.stdout


def node() -> str:
    path = program("node")
    version = run(path, "--version")
    if int(version.strip().removeprefix("v").split(".")[0]) < OLDEST:
        pytest.skip(f"Node.js {version.strip()} is too old for these tests: install {OLDEST} or newer.")
    return path


def test_the_clients_own_tests() -> None:
    # protocol 2.1, 3.1, 3.3, 4.1, 4.3, 6.2, 7.2: each test there cites its clause
    files = sorted(path.name for path in (CLIENT / "test").glob("*.test.js"))
    assert len(files) >= 10
    told = run(node(), "--test", "--test-reporter=tap", *(f"test/{name}" for name in files))
    assert re.search(r"^# fail 0$", told, re.MULTILINE)
    found = re.search(r"^# pass (\d+)$", told, re.MULTILINE)
    assert found and int(found[1]) > 150


def test_the_package_holds_what_it_names(tmp_path: Path) -> None:
    described = json.loads((CLIENT / "package.json").read_text())
    assert described["name"] == "@antiphon/client"
    assert "dependencies" not in described
    run(program("npm"), "pack", "--offline", "--pack-destination", str(tmp_path))
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as files:
        held = {name.removeprefix("package/") for name in files.getnames()}
    named = set(re.findall(r': "\./([\w./-]+)"', json.dumps(described)))
    assert named and named <= held
    assert {f"src/{path.name}" for path in (CLIENT / "src").iterdir()} <= held
    assert "LICENSE" in held
    assert not [name for name in held if name.startswith("test/")]


def test_client_and_server_have_one_version() -> None:
    described = json.loads((CLIENT / "package.json").read_text())
    ours = re.search(r'(?m)^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text())
    assert ours and described["version"] == ours[1]
