"""What all tests share: options, what is slow, and the closing line. Who runs what when is in pool.py, C tests are in cmocka.py,
how a run that was interrupted goes on in resume.py."""

import os
import pathlib

import pytest

pytest_plugins = ["cmocka", "pool", "resume"]

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    group = parser.getgroup("serverless-suite")
    group.addoption("--build", default="build", metavar="FOLDER", help="where slsuite was built (build)")
    group.addoption(
        "--sanitized",
        default="build-sanitize",
        metavar="FOLDER",
        help="where the sanitized tests were built, if they were (build-sanitize)",
    )
    group.addoption("--slow", action="store_true", help="also the tests that take minutes")
    group.addoption("--fuzz-seconds", type=int, default=15, metavar="N", help="hostile input for so long, each of the readers (15)")


def pytest_configure(config):
    """Tests know the build by the environment, which workers and programs that they start inherit."""
    build = (config.invocation_params.dir / config.getoption("build")).resolve()
    if not (build / "slsuite").exists():
        raise pytest.UsageError(f"{build}/slsuite is missing: build it first (make build), or name the folder with --build")
    os.environ["SLSUITE_BUILD"] = str(build)
    os.environ.setdefault("SLSUITE_CACHE", str(build / "test-cache"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        makes = [thing for mark in item.iter_markers("makes") for thing in mark.args]
        if item.path.parent.name == "end-to-end" and not makes:
            item.add_marker(pytest.mark.needs("base"))
    there = len(os.sched_getaffinity(0))
    for item in items:
        if item.get_closest_marker("slow") and not config.getoption("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: only with --slow"))
        wanted = max((mark.args[0] for mark in item.iter_markers("processors")), default=1)
        if wanted > there:
            item.add_marker(pytest.mark.skip(reason=f"needs {wanted} processors"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The closing line, for people in a hurry and for machines."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    counts = {name: len(reporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    if any(counts.values()):
        print(f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed, {counts['skipped']} skipped", flush=True)
