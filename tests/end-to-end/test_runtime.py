"""Docker and Podman in the guest: as one works by hand, and as who starts a run's function."""

import csv
import json
import shutil
import unittest

import pytest

from harness import CACHE, Case, slow
from registry import Registry

pytestmark = pytest.mark.needs("layer:python", "layer:services")

ENGINES = {"docker": "docker pull", "podman": "podman pull --tls-verify=false"}
PYTHON = unittest.skipUnless(shutil.which("protoc"), "there is no protoc: make deps")
REGISTRY = unittest.skipUnless(shutil.which("docker-registry") and shutil.which("skopeo"), "no registry: make deps")

# What vSwarm's users type.
BY_HAND = """set -e
{pull} {image}
{engine} run -d --name mycontainer -p 50051:50051 {image}
client -addr localhost:50051 -function aes -wait 20 -n 3
echo "running: $({engine} ps --format '{{{{.Names}}}} {{{{.Image}}}}')"
{engine} rm --force mycontainer
echo "loaded: $({engine} load --quiet --input /archive/image.tar)"
{engine} run -d --name another -p 50051:50051 aes-c
client -addr localhost:50051 -function aes -wait 20 -n 3
{engine} rm --force another
"""


class Refused(Case):
    def test_unknown(self):
        for words in ("run", "aes-c", "--runtime"), ("suite", "run", "--runtime"), ("shell", "--with"), ("image", "build", "--with"):
            self.refused("no container runtime is named lxc: there are crun, docker, podman", *words, "lxc", status=2)

    def test_network_without_driver(self):
        self.refused("--network: only images with docker or podman .* add --with docker", "shell", "--network", status=2)

    def test_not_in_this_image(self):
        process = self.shell("slsuite-function start aes-c docker", "aes-c", status=1)
        self.assertIn("docker is not in this image: slsuite image build --with docker", process.err)


class Engines(Case):
    def figures(self, folder):
        return list(csv.DictReader(open(folder / "invocations.csv", newline="")))

    def runs(self, engine, function, seconds=1800):
        """Twice, each from a checkpoint of its own: the same figures, and the function's own work is what it is under crun."""
        folders = [self.folder / name for name in ("first", "second")]
        cache = self.own_cache()
        (cache / "archives").symlink_to(CACHE / "archives")
        (CACHE / "archives").mkdir(exist_ok=True)
        for folder in folders:
            self.slsuite("run", function, "--runtime", engine, "-n", 3, "-q", "--out", folder, cache=cache, seconds=seconds)
            shutil.rmtree(cache / "checkpoints")
        self.same_results(*folders)
        self.assertEqual(json.loads((folders[0] / "run.json").read_text())["runtime"], engine)
        self.slsuite("run", function, "-n", 3, "-q", "--out", self.out, cache=cache, seconds=seconds)
        ours, theirs = self.figures(self.out), self.figures(folders[0])
        self.assertEqual(len(theirs), 3)
        for one, other in zip(ours, theirs):
            work, same_work = int(one["instructions_user"]), int(other["instructions_user"])
            self.assertLess(abs(work - same_work), 0.05 * work, (one, other))
            self.assertGreater(int(other["instructions_kernel"]), int(one["instructions_kernel"]))  # a bridge, its rules, seccomp
        self.slsuite("verify", folders[0], cache=cache, seconds=seconds)

    def by_hand(self, engine):
        registry = Registry(self.folder)
        self.addCleanup(registry.end)
        layout = self.slsuite("function", "build", "aes-c").out.split()[-1]
        registry.push(layout, "team/aes-c:latest")
        image = f"10.0.2.2:{registry.address.split(':')[1]}/team/aes-c"
        said = self.shell(
            BY_HAND.format(engine=engine, pull=ENGINES[engine], image=image),
            "aes-c",
            "--with",
            engine,
            "--network",
            "--ssh",
            0,
            seconds=1800,
        )
        self.assertRegex(said.err, r"(?m)^boot and run the script in the guest: done")  # the network is the host's: no checkpoint
        said = said.out
        self.assertRegex(said, rf"running: mycontainer {image}")
        self.assertRegex(said, r"loaded: Loaded image: \S*aes-c:latest")
        self.assertEqual(said.count("3 invocations"), 2, said)

    @slow
    def test_docker(self):
        self.runs("docker", "aes-c")

    @slow
    def test_podman(self):
        self.runs("podman", "aes-c")

    @slow
    @REGISTRY
    def test_docker_by_hand(self):
        self.by_hand("docker")

    @slow
    @REGISTRY
    def test_podman_by_hand(self):
        self.by_hand("podman")

    def serves(self, engine):
        """With services, which call each other, and a large image."""
        self.slsuite("run", "hotel-search-python", "--runtime", engine, "-n", 1, "-w", 3, "-q", "--out", self.out, seconds=1800)
        self.assertGreater(int(self.figures(self.out)[0]["instructions_user"]), 10000)

    @slow
    @PYTHON
    def test_docker_with_services(self):
        self.serves("docker")

    @slow
    @PYTHON
    def test_podman_with_services(self):
        self.serves("podman")

    @slow
    def test_ends_at_start(self):
        """Its last words are told."""
        self.refused(
            ".*`container`.*it ended before it listened on port 50051",
            "run",
            "odd-c",
            "--runtime",
            "podman",
            "--out",
            self.out,
            environment=self.odd("exit"),
            cache=self.own_cache("kernel", "initramfs", "base", "rootfs"),
            seconds=400,
        )

    @slow
    def test_prune_keeps(self):
        """Each runtime's image is in use."""
        cache = self.own_cache("base")
        images = [self.slsuite("image", "show", "--with", runtime, cache=cache).out for runtime in ("crun", "docker")]
        self.assertEqual(self.slsuite("image", "prune", cache=cache).out, "")
        self.assertEqual(len(set(images)), 2)
        for image in images:
            self.assertIn(str(cache), image)
        self.assertEqual(len(list((cache / "rootfs").glob("[!.]*"))), 2)
