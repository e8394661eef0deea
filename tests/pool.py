"""One pool for all tests: the longest first, by the durations kept in durations.json; makers before those that need what they make;
what must be alone on the machine at the end, one after the other.

A worker of xdist's begins a test when it knows the one after it, or that there is none. So each holds one test that it has not begun,
and begins it when it is sent the next: that is when this test must be allowed to run.
"""

import json
import os
import pathlib
import tempfile

import pytest

from xdist.scheduler import LoadScheduling

KEPT = pathlib.Path(__file__).with_name("durations.json")
LEAST = 0.5  # seconds: what is shorter is not kept, and counts as this


def pytest_addoption(parser):
    parser.getgroup("serverless-suite").addoption(
        "--keep-durations", action="store_true", help="write how long tests took to tests/durations.json, by which they are ordered"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    return len(os.sched_getaffinity(0))


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pool_folder = tempfile.TemporaryDirectory(prefix="slsuite-pool-")
        config.pluginmanager.register(Durations(config), "pool-durations")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["pool_folder"] = node.config.pool_folder.name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """A worker knows the tests' marks, the one who hands tests out only their names: tell it."""
    if hasattr(config, "workerinput") and config.workerinput["workerid"] == "gw0":
        told = {item.nodeid: Demand.of(item).__dict__ for item in items}
        pathlib.Path(config.workerinput["pool_folder"], "demands.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") == "load":
        return Pool(config, log)


class Demand:
    """What a test asks of the pool."""

    def __init__(self, needs=(), makes=(), exclusive=False):
        self.needs, self.makes, self.exclusive = needs, makes, exclusive

    @classmethod
    def of(cls, item):
        things = lambda name: [thing for mark in item.iter_markers(name) for thing in mark.args]
        skipped = item.get_closest_marker("skip")
        return cls(things("needs"), [] if skipped else things("makes"), bool(item.get_closest_marker("exclusive")))


class Durations:
    """What tests took, kept from run to run."""

    def __init__(self, config):
        self.config, self.measured = config, {}

    def pytest_runtest_logreport(self, report):
        if not report.skipped:
            self.measured[report.nodeid] = self.measured.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self):
        if self.config.getoption("keep_durations"):
            kept = read_durations() | {name: round(seconds, 1) for name, seconds in self.measured.items()}
            kept = {name: seconds for name, seconds in sorted(kept.items()) if seconds > LEAST}
            KEPT.write_text(json.dumps(kept, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def read_durations():
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}


class Pool(LoadScheduling):
    """`pending`: tests nobody has, best first. `node2pending`: those a worker has; the last one is held, the one before it, if any, runs."""

    def schedule(self):
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = next(iter(self.node2collection.values()))
            told = json.loads(pathlib.Path(self.config.pool_folder.name, "demands.json").read_text(encoding="utf-8"))
            self.demands = [Demand(**told[name]) for name in self.collection]
            self.unmade = {thing for demand in self.demands for thing in demand.makes}
            durations = read_durations()

            def urgency(index):
                demand = self.demands[index]
                return demand.exclusive, not demand.makes, -durations.get(self.collection[index], LEAST)

            self.pending[:] = sorted(range(len(self.collection)), key=urgency)
        self.check_all()

    def check_all(self):
        for node in self.nodes:
            self.check_schedule(node)

    def mark_test_complete(self, node, item_index, duration=0):
        self.node2pending[node].remove(item_index)
        self.unmade -= set(self.demands[item_index].makes)
        self.check_all()

    def remove_node(self, node):
        pending = self.node2pending.pop(node)
        crashed = pending.pop(0) if pending else None
        if crashed is not None:
            self.unmade -= set(self.demands[crashed].makes)  # nobody will make it now
        self.pending[:0] = pending
        self.check_all()
        return None if crashed is None else self.collection[crashed]

    @property
    def tests_finished(self):
        return (
            self.collection is not None
            and self.collection_is_completed
            and not self.pending
            and all(len(pending) < 2 for pending in self.node2pending.values())
        )

    def may_begin(self, index):
        return not self.unmade.intersection(self.demands[index].needs)

    def check_schedule(self, node, duration=0):
        """Give this worker what it waits for, if there is something that it may do now."""
        if node.shutting_down or self.collection is None:
            return
        mine = self.node2pending[node]
        while len(mine) < 2:
            if mine and not self.may_begin(mine[0]):
                return
            following = self.next_for(node)
            if following is None:
                return
            self.send(node, following)

    def next_for(self, node):
        """What this worker should hold next; none: it has to wait, or it is no longer needed and told so."""
        shared = [index for index in self.pending if not self.demands[index].exclusive]
        if shared:
            held = {index for pending in self.node2pending.values() for index in pending}
            under_way = {thing for index in held for thing in self.demands[index].makes}
            # Rather one that can begin for certain when the one before it is done.
            ready = (index for index in shared if self.may_begin(index) and not under_way.intersection(self.demands[index].needs))
            return next(ready, shared[0])
        others = [other for other in self.nodes if other is not node]
        if not self.pending:
            node.shutdown()
        elif any(not other.shutting_down for other in others):
            node.shutdown()  # one worker is enough for what must be alone
        elif not others:
            return self.pending[0]
        return None

    def send(self, node, index):
        """A test; of C tests the whole group, whose program runs them all at once."""
        group = self.collection[index].partition(".c::")
        indices = [index] if not group[1] else [one for one in self.pending if self.collection[one].startswith("".join(group[:2]))]
        self.pending[:] = [one for one in self.pending if one not in set(indices)]
        self.node2pending[node].extend(indices)
        node.send_runtest_some(indices)
