"""What the tests of Docker Compose files share: an image to name in them, and what is added of a file, without a guest."""

import functools
import json
import pathlib
import shutil
import tempfile
import unittest

from adding import NEEDED, Adding, configuration, configure
from harness import BUILD
from registry import command


@functools.cache
def image():
    """A layout of an image with /app/server and a few variables; made once, never changed."""
    place = tempfile.TemporaryDirectory(prefix="slsuite-test-")
    layout, root = pathlib.Path(place.name, "image"), pathlib.Path(place.name, "root")
    (root / "app").mkdir(parents=True)
    (root / "var/full").mkdir(parents=True)
    (root / "var/full/file").touch()
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nserver:x:7:8::/:/bin/sh\n")
    (root / "link").symlink_to("/app")
    shutil.copy(BUILD / "functions/helloworld/c/helloworld-c", root / "app/server")
    command("tar", "-C", root, "-cf", f"{place.name}/layer.tar", ".")
    command("umoci", "init", "--layout", layout)
    command("umoci", "new", "--image", f"{layout}:latest")
    command("umoci", "raw", "add-layer", "--image", f"{layout}:latest", f"{place.name}/layer.tar")
    configure(
        layout,
        "--config.entrypoint",
        "/app/server",
        "--config.cmd",
        "-addr",
        "--config.cmd",
        "0.0.0.0:50051",
        "--config.env",
        "FROM=image",
        "--config.env",
        "OTHER=image",
    )
    return place, layout


@unittest.skipUnless(all(map(shutil.which, NEEDED)), f"needs {', '.join(NEEDED)}: make deps")
class Composing(Adding):
    """Without a guest."""

    prepared = False

    def setUp(self):
        super(Adding, self).setUp()
        self.cache = self.folder / "cache"
        self.added = self.folder / "data/slsuite/functions"
        self.image = f"oci:{image()[1]}:latest"

    def left(self):
        return sorted(path.name for path in self.added.glob("*") if path.is_dir())

    def names(self):
        return self.left()

    def file(self, text, name="compose.yaml"):
        """IMG stands for the image."""
        return self.compose(text.replace("IMG", self.image), name)

    def said(self, text, *arguments, name="fn", **options):
        """Of a file with the service fn, what is added of it: the image's configuration, and its description."""
        shutil.rmtree(self.added, ignore_errors=True)
        self.process = self.add("-f", self.file(text), name, *arguments, "--client", "helloworld", **options)
        return self.result(name)

    def result(self, name="fn"):
        return configuration(self.added / name / "oci"), json.loads((self.added / name / "function.yaml").read_text())

    def environment(self, text, *arguments, **options):
        pairs = self.said(text, *arguments, **options)[0].get("Env", [])
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs) if name not in ("FROM", "OTHER")}

    def refuse_text(self, pattern, text, *names, **options):
        self.refuse(f".*compose.yaml:{pattern}", "-f", self.file(text), *(names or ["fn"]), "--client", "helloworld", **options)

    def service(self, lines):
        """A file with the service fn and these lines."""
        return "services:\n  fn:\n    image: IMG\n" + "".join(f"    {line}\n" for line in lines.strip().splitlines())
