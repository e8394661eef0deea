"""What the tests of `slsuite function add` share: an image of aes-c, a place of their own for what is added, and what came of it."""

import csv
import json
import shutil
import unittest

from harness import Case
from registry import Registry, command

NEEDED = "docker-registry", "htpasswd", "skopeo", "umoci"


def load(layout, digest):
    return json.loads((layout / "blobs/sha256" / digest).read_text())


def manifest(layout):
    return json.loads((layout / "index.json").read_text())["manifests"][0]["digest"].removeprefix("sha256:")


def configure(layout, *words):
    command("umoci", "config", "--image", f"{layout}:latest", *words)


def configuration(layout):
    """How the image is to be run."""
    return load(layout, load(layout, manifest(layout))["config"]["digest"].removeprefix("sha256:"))["config"]


@unittest.skipUnless(all(map(shutil.which, NEEDED)), f"needs {', '.join(NEEDED)}: make deps")
class Adding(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.own_cache("kernel", "initramfs", "base", "rootfs", "layers")
        self.added = self.folder / "data/slsuite/functions"
        self.layout = self.folder / "aes-c"
        built = self.slsuite("function", "build", "aes-c").out.split()[-1]
        shutil.copytree(built, self.layout)

    def start(self, *arguments, environment={}, **options):
        none = {"REGISTRY_AUTH_FILE": str(self.folder / "auth.json")}
        return super().start(*arguments, **({"cache": self.cache} | options), environment=none | environment)

    def registry(self, *arguments):
        registry = Registry(self.folder, *arguments)
        self.addCleanup(registry.end)
        return registry

    def add(self, *arguments, **options):
        return self.slsuite("function", "add", *arguments, **options)

    def refuse(self, pattern, *arguments, status=1, **options):
        """… and nothing is left of it."""
        before = self.names(), self.left()
        process = self.refused(pattern, "function", "add", *arguments, status=status, **options)
        self.assertEqual((self.names(), self.left()), before)
        return process

    def names(self):
        return [line.split()[0] for line in self.slsuite("function", "list").out.splitlines()]

    def left(self):
        return sorted(str(path) for pattern in ("*", ".*.tmp") for path in self.added.glob(pattern) if path.suffix != ".lock")

    def exported(self):
        self.slsuite("function", "export", "aes-c", "--out", archive := self.folder / "aes.tar")
        return archive

    def in_guest(self, name):
        """The container's configuration as the guest has it, and the names in its root."""
        image = self.slsuite("function", "install", name).out.split()[-1]
        config = command("debugfs", "-R", f"cat /{name}/config.json", image)
        return json.loads(config), command("debugfs", "-R", f"ls -p /{name}/rootfs", image)

    def replies(self, folder):
        with open(folder / "invocations.csv", newline="") as lines:
            return [row["reply"] for row in csv.DictReader(lines)]

    def compose(self, text, name="functions.yaml"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path
