"""The page's modules put together as one script."""

import shutil
import subprocess
from pathlib import Path

import pytest

from chatapp.web.assets import Assets
from chatapp.web.bundle import bundle

ROOT = Path(__file__).parent.parent.parent


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, "utf-8")
    return folder / "main.js"


def run(script: str) -> str:
    done = subprocess.run(
        ["node", "--input-type=module"],
        input=script,
        text=True,
        capture_output=True,
        timeout=30,
        check=True,
    )
    return done.stdout


def test_each_module_runs_once_behind_what_it_needs(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        main="import { twice } from './twice.js';\nimport {\n  one as first,\n} from './one.js';\nconst KEY = 'main';\n"
        "console.log(KEY, first(), twice());\nexport {};\n",
        twice="// of one\nimport { one } from './one.js';\nconst KEY = 'twice';\n/** says so */\n"
        "export function twice() { return `${KEY} ${one()} ${one()}`; }\n",
        one="let count = 0;\nconst KEY = 1;\nexport const one = () => (count += KEY);\nexport class One {}\n",
    )
    script = bundle(entry)
    assert run(script) == "main 1 twice 2 3\n"
    assert script.count("let count = 0;") == 1
    assert "says so" not in script


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"main": "export default 1;\n"}, "export default 1"),
        ({"main": "import * as other from './other.js';\n", "other": ""}, "import \\* as other"),
        ({"main": "import { a } from './main.js';\n"}, "imports itself"),
    ],
)
def test_what_it_cannot_put_together_is_named(tmp_path: Path, modules: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bundle(write(tmp_path, **modules))


def test_the_page_itself_is_put_together_and_parses(tmp_path: Path) -> None:
    script = tmp_path / "page.mjs"
    script.write_text(bundle(ROOT / "static/js/page/main.js"), "utf-8")
    subprocess.run(["node", "--check", str(script)], timeout=30, check=True)


def test_files_are_made_once_for_each_state_of_the_tree(tmp_path: Path) -> None:
    first = Assets(ROOT / "static", tmp_path)
    assert list(tmp_path.iterdir()) == []
    first.prepare()
    folder = tmp_path / "assets" / first.version
    made = (folder / "page.js").stat().st_mtime_ns
    again = Assets(ROOT / "static", tmp_path)
    again.prepare()
    assert again.version == first.version
    assert (folder / "page.js").stat().st_mtime_ns == made
    assert [path.name for path in (tmp_path / "assets").iterdir()] == [first.version]


def test_of_earlier_versions_the_last_ones_stay(tmp_path: Path) -> None:
    static = tmp_path / "static"
    shutil.copytree(ROOT / "static", static)
    versions = []
    for number in range(6):
        (static / "css" / "modes.css").write_text(f"/* {number} */", "utf-8")
        assets = Assets(static, tmp_path)
        assets.prepare()
        versions.append(assets.version)
    assert {path.name for path in (tmp_path / "assets").iterdir()} == set(versions[-4:])
