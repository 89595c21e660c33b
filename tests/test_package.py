"""The wheel as a bureau installs it: program, rules and made-up county inside, nothing called `cli` on anybody's path."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHEELHOUSE = ROOT / "wheelhouse"


def run(*words: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HEDUI_", "PYTHON", "PIP_"))}
    return subprocess.run([*map(str, words)], cwd=cwd, env={**clean, "PYTHONUTF8": "1", **env}, capture_output=True, text=True, timeout=600, check=False)


def built(to: Path) -> Path:
    """The wheel of this checkout, built as the Makefile builds it."""
    said = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", to, cwd=ROOT)
    assert said.returncode == 0, said.stderr
    (wheel,) = to.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone in a folder of its own; its libraries come from the environment of the tests."""
    to = tmp_path_factory.mktemp("site")
    said = run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", to, wheel, cwd=to)
    assert said.returncode == 0, said.stderr
    return to


def test_the_wheel_holds_the_program_its_rules_and_the_county(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("verify", "verify"), ("rules", "verify/installed/rules"), ("fixtures/county-a/drop", "verify/installed/fixtures/county-a/drop")):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert {f"{inside}/{p.relative_to(ROOT / folder).as_posix()}" for p in files} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"verify"}
    assert "verify/cli.py" in names
    assert not [name for name in names if "/truth/" in name or name.endswith(".pyc")]


def test_the_same_checkout_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert built(tmp_path).read_bytes() == wheel.read_bytes()


def test_no_module_is_plainly_called_cli(installed: Path) -> None:
    assert not (installed / "cli.py").exists()
    said = run(sys.executable, "-P", "-c", "import verify.cli, verify; print(verify.cli.__file__)", cwd=installed, PYTHONPATH=str(installed))
    assert said.stdout.strip() == str(installed / "verify" / "cli.py"), said.stderr


def test_the_installed_command_runs_the_county_with_what_it_carries(installed: Path, tmp_path: Path) -> None:
    command = installed / "bin" / "hedui"
    assert run(sys.executable, "-P", command, "--help", cwd=tmp_path, PYTHONPATH=str(installed)).returncode == 0
    script = "from verify.settings import demo_drop, rules_folder; print(rules_folder(), demo_drop())"
    for place in run(sys.executable, "-P", "-c", script, cwd=tmp_path, PYTHONPATH=str(installed)).stdout.split():
        assert Path(place).is_relative_to(installed / "verify" / "installed")
    demo = run(sys.executable, "-P", command, "demo", "--home", tmp_path / "home", cwd=tmp_path, PYTHONPATH=str(installed))
    assert demo.returncode == 0, demo.stderr
    (night,) = (tmp_path / "home" / "nights").iterdir()
    assert {"review.xlsx", "summary.html", "results"} <= {p.name for p in night.iterdir()}


@pytest.mark.wheelhouse
@pytest.mark.skipif(not (WHEELHOUSE / "requirements.txt").exists(), reason="there is no wheelhouse; `make wheelhouse` fills it (needs the network once)")
def test_it_installs_without_network_and_refuses_a_changed_wheel(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python, nowhere = tmp_path / "venv" / "bin" / "python", {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    install = [python, "-m", "pip", "install", "-q", "--no-index", "--require-hashes", "-r", WHEELHOUSE / "requirements.txt", "--find-links"]
    changed = tmp_path / "changed"
    changed.mkdir()
    for wheel in WHEELHOUSE.glob("*.whl"):
        (changed / wheel.name).symlink_to(wheel)
    (own,) = changed.glob("hedui-*.whl")
    data = own.read_bytes()
    own.unlink()
    own.write_bytes(data + b"\0")
    refused = run(*install, changed, cwd=tmp_path, **nowhere)
    assert refused.returncode != 0
    assert "HASHES" in refused.stderr.upper()
    said = run(*install, WHEELHOUSE, cwd=tmp_path, **nowhere)
    assert said.returncode == 0, said.stderr
    assert run(tmp_path / "venv" / "bin" / "hedui", "--help", cwd=tmp_path, **nowhere).returncode == 0
