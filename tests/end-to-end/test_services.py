"""Services beside the function: started, waited for, on core 0, the same each time; and one line that names the one that fails."""

import csv
import json
import re
import shutil
import unittest

import pytest

from harness import BUILD, Case, checkpoints, slow

pytestmark = pytest.mark.needs("layer:python", "layer:services")

PYTHON = unittest.skipUnless(shutil.which("protoc"), "there is no protoc: make deps")

# What is seen of a service in the guest, and that nothing is left of it.
LOOK_AROUND = r"""set -e
slsuite-function start crud-api-python
redis=$(cat /run/slsuite/functions/crud-api-python/service-redis/pid)
echo "cores $(cat /sys/fs/cgroup/service-redis/cpuset.cpus.effective) and $(cat /sys/fs/cgroup/function/cpuset.cpus.effective)"
grep Cpus_allowed_list /proc/$redis/status
for kind in pid mnt net cgroup; do
    echo "namespace $kind $(readlink /proc/$redis/ns/$kind) $(readlink /proc/$(cat /run/slsuite/functions/crud-api-python/pid)/ns/$kind)"
done
slsuite-function check crud-api-python
slsuite-function stop crud-api-python
echo "left: $(ip -br link | grep -c veth) links, $(ip netns | wc -l) networks, $(ls -d /sys/fs/cgroup/service-* 2>/dev/null | wc -l) groups"
"""


class Services(Case):
    def repeat(self, function):
        """Twice: the client knows the replies, and all figures are the same."""
        folders = self.folder / "first", self.folder / "second"
        for folder in folders:
            self.slsuite("run", function, "-n", 3, "-q", "--out", folder, seconds=1200)
        rows = list(csv.DictReader(open(folders[0] / "invocations.csv", newline="")))
        self.assertEqual(len(rows), 3)
        self.assertTrue(all(int(row["instructions_user"]) > 10000 for row in rows), rows)
        self.same_results(*folders)

    @PYTHON
    def test_crud_api(self):
        self.repeat("crud-api-python")

    @PYTHON
    def test_hotel_profile(self):
        self.repeat("hotel-profile-python")

    @PYTHON
    def test_hotel_search(self):
        self.repeat("hotel-search-python")

    @PYTHON
    def test_container(self):
        said = self.shell(LOOK_AROUND, "crud-api-python", seconds=300).out
        self.assertRegex(said, r"cores 0 and 1\s")
        self.assertRegex(said, r"Cpus_allowed_list:\s+0\s")
        for kind, service, function in re.findall(r"namespace (\w+) (\S+) (\S+)", said):
            self.assertNotEqual(service, function, kind)
        self.assertRegex(said, r"left: 0 links, 0 networks, 0 groups")


class Failures(Case):
    def ends_while_measured(self, handling):
        """crud-api whose data base is shut down by the large request, which no warm-up is."""
        place = self.folder / "functions/crud-api/python"
        shutil.copytree(BUILD / "functions/crud-api/python", place)
        program = place / "crud_api.py"
        program.write_text(program.read_text().replace("    one = json", f"    if size == 'large':\n        {handling}\n    one = json"))
        run = ("run", "crud-api-python", "-n", 1, "--input", "large", "--out", self.out)
        process = self.refused(
            "the service redis ended before the run did: .*bye bye",
            *run,
            seconds=1200,
            environment={"SLSUITE_FUNCTIONS": str(self.folder / "functions")},
        )
        self.assertIn("the guest's console ends with:\n", process.err)
        failed = self.folder / "run.failed"
        self.assertEqual(json.loads((failed / "run.json").read_text())["status"], "failed")
        self.assertIn("User requested shutdown", (failed / "console.log").read_text())
        self.assertFalse((failed / "stats.txt").exists())

    @PYTHON
    def test_ends_while_measured(self):
        self.ends_while_measured("DATABASE.shutdown()")

    @PYTHON
    def test_ends_and_the_function_gets_on_without_it(self):
        self.ends_while_measured(
            "DATABASE.shutdown(); DATABASE.__dict__.update(hget=lambda *_: CARTS[size][str(count // 2)], "
            "hvals=lambda *_: CARTS[size].values())"
        )

    def fails_before_the_checkpoint(self, pattern, how):
        """A greeting beside which another one misbehaves before it listens."""
        environment = self.odd()
        with open(self.folder / "functions/odd/c/function.yaml", "a") as description:
            description.write(f"services:\n  lazy: {{port: 7000, entrypoint: [/odd-c, -addr, 0.0.0.0:7000, -start, {how}]}}\n")
        cache = self.own_cache("kernel", "initramfs", "base", "rootfs")
        process = self.refused(pattern, "run", "odd-c", "--out", self.out, cache=cache, seconds=300, environment=environment)
        self.assertIn("the guest's console ends with:\n", process.err)
        self.assertEqual(checkpoints(cache), [])
        self.assertFalse(self.out.exists())

    def test_ends_before_it_listens(self):
        self.fails_before_the_checkpoint("the service lazy ended before it listened on port 7000: ", "exit")

    @slow  # a minute of the guest's time, awake every tenth of a second
    def test_never_listens(self):
        self.fails_before_the_checkpoint("the service lazy does not listen on port 7000 after 60 s: ", "idle")
