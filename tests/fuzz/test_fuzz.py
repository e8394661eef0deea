"""Some seconds of hostile bytes for each reader of foreign ones; `make fuzz` takes longer."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.parametrize("target", sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c")))
def test_reader(target, pytestconfig):
    build = pytestconfig.invocation_params.dir / pytestconfig.getoption("sanitized") / "tests/fuzz"
    if not build.exists():
        pytest.skip("no sanitized build: make test builds one")
    seconds = pytestconfig.getoption("fuzz_seconds")
    done = subprocess.run([HERE / "run", build, str(seconds), target], capture_output=True, text=True, timeout=seconds + 600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"fuzz_{target}: " in done.stdout
