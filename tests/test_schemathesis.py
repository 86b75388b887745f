"""schemathesis asks whatever the served document allows, and much that it forbids."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.person import Person
from tests.support.service import ROOT
from tests.support.service import Service

HERE = ROOT / "tests" / "schemathesis"
# It takes half a minute, on two cores shared with other work.
ENDS_WITHIN_S = 600


def test_schemathesis_finds_nothing(start_service: Callable[..., Service], tmp_path: Path) -> None:
    service = start_service("sqlite", CHATAPP_STREAM_SECONDS="0.2")
    with Person(service.url, "Ada") as ada:
        command = [str(Path(sys.executable).parent / "schemathesis"), "--no-color"]
        command += [
            "--config-file",
            str(HERE / "schemathesis.toml"),
            "run",
            f"{service.url}/api/v1/openapi.json",
            "--seed=1",
        ]
        told = {"CHATAPP_TEST_URL": service.url, "CHATAPP_TEST_USER": ada.id, "CHATAPP_TEST_TOKEN": ada.token}
        told |= {"SCHEMATHESIS_HOOKS": "tests.schemathesis.hooks", "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            command, cwd=tmp_path, env=os.environ | told, capture_output=True, text=True, timeout=ENDS_WITHIN_S
        )
    print(ran.stdout[-3000:])
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}\n" in ran.stdout
    assert "Authentication failed" not in ran.stdout
