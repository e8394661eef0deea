#!/usr/bin/python3
"""Images of others as functions: from a real registry, layouts, archives and Docker Compose files; and what is refused."""

import base64
import csv
import json
import os
import pathlib
import shutil
import socket
import unittest
import urllib.request

from harness import Case, slow
from registry import Registry, command

NEEDED = "docker-registry", "htpasswd", "skopeo", "umoci"
USER, PASSWORD = "student", "opensesame:42"


def load(layout, digest):
    return json.loads((layout / "blobs/sha256" / digest).read_text())


def manifest(layout):
    return json.loads((layout / "index.json").read_text())["manifests"][0]["digest"].removeprefix("sha256:")


def layer(layout):
    return load(layout, manifest(layout))["layers"][-1]["digest"].removeprefix("sha256:")


def configure(layout, *words):
    command("umoci", "config", "--image", f"{layout}:latest", *words)


@unittest.skipUnless(all(map(shutil.which, NEEDED)), f"needs {', '.join(NEEDED)}: make deps")
class Added(Case):
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

    def test_from_everywhere(self):
        """Registry, layout, archive: each is listed, answers on this computer and in the guest, is exported, and removed."""
        archive = self.exported()
        for name, source in (("pulled", self.registry().push(self.layout, "team/aes-c:one")),
                             ("copied", f"oci:{self.layout}:latest"), ("loaded", f"docker-archive:{archive}")):
            with self.subTest(name):
                self.assertEqual(self.add(source, name, "--client", "aes").out.split(), [name, source])
                listed = [line.split() for line in self.slsuite("function", "list").out.splitlines() if line.startswith(name)]
                self.assertEqual(listed, [[name, "/aes.Aes/ShowEncryption", "from", source]])
                self.assertEqual(self.slsuite("function", "test", name).out.split(), [name, *"20 replies are right".split()])
                self.slsuite("function", "export", name, "--out", self.folder / f"{name}.tar")
        self.slsuite("run", "pulled", "-n", 2, "--out", self.out)
        self.assertEqual([reply.split(" | ")[0::3] for reply in self.replies(self.out)], [["fn: AES", "runtime: c"]] * 2)
        self.slsuite("image", "prune")
        self.assertIn("pulled", self.names())
        self.slsuite("function", "remove", "pulled")
        self.assertNotIn("pulled", self.names())
        self.assertEqual([pathlib.Path(path).name for path in self.left()], ["copied", "loaded"])
        self.refused("no function is named pulled", "function", "remove", "pulled", status=2)
        self.refused("aes-c: no function of that name was added", "function", "remove", "aes-c", status=2)

    def test_what_the_image_says(self):
        """Layers over each other, with whiteouts; environment, folder and user."""
        for number, names in enumerate((("etc/passwd", "gone", "kept"), (".wh.gone",))):
            for name in names:
                path = self.folder / f"layer{number}" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("app:x:1000:1001::/:/bin/sh\n" if name == "etc/passwd" else "")
            command("tar", "-C", self.folder / f"layer{number}", "-cf", self.folder / "layer.tar", ".")
            command("umoci", "raw", "add-layer", "--image", f"{self.layout}:latest", self.folder / "layer.tar")
        configure(self.layout, "--config.user", "app", "--config.workingdir", "/etc", "--config.env", "SIZE=1,2 3")
        self.add(self.registry().push(self.layout, "aes-layers:latest"), "layers", "--client", "aes")
        config, root = self.in_guest("layers")
        self.assertIn("/kept/", root)
        self.assertNotIn("gone", root)
        process = config["process"]
        self.assertEqual(process["args"], ["/aes-c", "-addr", "0.0.0.0:50051"])
        self.assertEqual((process["cwd"], process["user"]["uid"], process["user"]["gid"]), ("/etc", 1000, 1001))
        self.assertIn("SIZE=1,2 3", process["env"])
        self.assertEqual(config["linux"]["resources"]["cpu"], {"cpus": "1"})

    def test_no_container_runtime(self):
        """Under a changed root, environment and folder are the image's, too."""
        tools = self.folder / "tools"
        tools.mkdir()
        for place in os.environ["PATH"].split(":"):
            for program in pathlib.Path(place).glob("*"):
                if program.name not in ("crun", "runc") and not (tools / program.name).exists():
                    (tools / program.name).symlink_to(program)
        (self.folder / "layer/app").mkdir(parents=True)
        command("tar", "-C", self.folder / "layer", "-cf", self.folder / "layer.tar", ".")
        command("umoci", "raw", "add-layer", "--image", f"{self.layout}:latest", self.folder / "layer.tar")
        configure(self.layout, "--clear=config.entrypoint", "--config.entrypoint", "../aes-c", "--config.cmd", "-addr",
                  "--config.cmd", "0.0.0.0:50051", "--config.workingdir", "/app", "--config.env", "TWO=two words")
        self.add(f"oci:{self.layout}", "aes")
        self.slsuite("function", "test", "aes", environment={"PATH": str(tools)})

    def test_zstd(self):
        """Layers that umoci does not read are compressed anew."""
        command("skopeo", "--insecure-policy", "copy", "-q", "--dest-compress", "--dest-compress-format", "zstd",
                f"docker-archive:{self.exported()}", f"oci:{self.folder}/zstd:latest")
        self.assertIn("zstd", load(self.folder / "zstd", manifest(self.folder / "zstd"))["layers"][0]["mediaType"])
        self.add(f"oci:{self.folder}/zstd:latest", "aes")
        self.assertEqual(self.in_guest("aes")[0]["process"]["args"][0], "/aes-c")

    def test_names(self):
        """Of the image, one's own, and of one that is there."""
        source = f"oci:{self.layout}"
        self.refuse("aes-c: there is a function of that name", source)
        self.refuse("A_b is no name", source, "A_b", status=2)
        self.refuse("../x is no name", source, "../x", status=2)
        self.add(source, "--replace")
        self.assertEqual(self.names().count("aes-c"), 1)
        self.refuse("aes-c: there is", source)
        configure(self.layout, "--config.env", "CHANGED=yes")
        self.add(source, "--replace")
        self.assertIn("CHANGED=yes", self.in_guest("aes-c")[0]["process"]["env"])
        self.slsuite("function", "remove", "aes-c")  # the suite's own is there again
        self.assertEqual(self.names().count("aes-c"), 1)
        self.assertNotIn("CHANGED=yes", self.in_guest("aes-c")[0]["process"]["env"])

    def test_use(self):
        source = f"oci:{self.layout.rename(self.folder / 'image')}"
        for arguments, pattern in (((), "function add takes IMAGE"), ((source, "a", "b"), "function add takes IMAGE"),
                                   (("rsync:/x", "a"), "rsync:/x: unknown kind of image"), (("docker://", "a"), ".*unknown kind"),
                                   ((source, "mine"), "mine: its name does not tell its service: give --client"),
                                   ((source, "mine", "--client", "-n 5"), "mine: its client's options name no service"),
                                   ((source, "mine", "--client", "'aes"), "--client 'aes: .*quote"),
                                   ((source, "mine", "--client", "aes " + "-m5ops " * 50), "mine: more than 48 words"),
                                   ((source, "mine", "--prefix", "x"), "--prefix")):
            with self.subTest(arguments):
                self.refuse(pattern, *arguments, status=2)
        self.add(source, "other", "--client", "-method /mine.Own/Call -input 'two words' -no-verify")
        described = json.loads((self.added / "other/function.yaml").read_text())
        self.assertEqual((described["service"], described["client"][3]), ("/mine.Own/Call", "two words"))

    def test_credentials(self):
        users = self.folder / "users"
        users.write_text(command("htpasswd", "-Bbn", USER, PASSWORD))
        guarded, open_ = self.registry(users), self.registry()
        open_.push(self.layout, "aes:latest")
        source = f"docker://{guarded.address}/aes:latest"
        good, bad, odd = (self.folder / name for name in ("good", "bad", "odd"))
        good.write_text(f"{USER}:{PASSWORD}\n")
        bad.write_text(f"{USER}:shibboleth\n")
        odd.write_text("shibboleth\n")
        self.refuse("cannot get .*--creds-file", source)
        said = [self.refuse("cannot get .*--creds-file", source, "--creds-file", bad),
                self.refuse(".*odd: no credentials", source, "--creds-file", odd),
                self.refuse("cannot read .*none", source, "--creds-file", self.folder / "none"),
                self.add(source, "--creds-file", good)]
        (self.folder / "auth.json").write_text(json.dumps(
            {"auths": {guarded.address: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}))
        said.append(self.add(source, "--replace"))  # as skopeo login leaves it
        secrets = [text for secret in (PASSWORD, "shibboleth") for text in (secret, base64.b64encode(f"{USER}:{secret}".encode()).decode())]
        written = [path.read_text() for path in self.added.glob("*/*") if path.is_file()]
        for text in [one.out + one.err for one in said] + written:
            self.assertFalse([secret for secret in secrets if secret in text], text)

    def test_damaged(self):
        """A layer that is cut off, or another than its digest says; in the registry and in a layout."""
        registry = self.registry()
        pushed = registry.push(self.layout, "aes:latest")
        for blob, source in ((registry.blob(layer(self.layout)), pushed),
                             (self.layout / "blobs/sha256" / layer(self.layout), f"oci:{self.layout}:latest")):
            whole = blob.read_bytes()
            blob.chmod(0o644)
            for name, data in (("cut", whole[:len(whole) // 2]), ("changed", whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])):
                with self.subTest(source, how=name):
                    blob.write_bytes(data)
                    self.refuse("cannot get .*: it is damaged where it lies", source, "aes")
            blob.write_bytes(whole)
        wrong = manifest(self.layout)[::-1]
        self.refuse("cannot get .*see its name", f"docker://{registry.address}/aes@sha256:{wrong}")
        self.refuse("cannot get .*see its name", f"docker://{registry.address}/aes:none")

    def test_plain_http(self):
        """Taken for granted at 127.0.0.1 only."""
        source = self.registry(None, "127.0.0.2").push(self.layout, "aes:latest")
        self.refuse("cannot get .*: it speaks plain HTTP: --insecure", source)
        self.add(source, "--insecure")

    def test_unreachable(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        self.refuse("cannot get .*see that the registry runs", f"docker://127.0.0.1:{port}/aes:latest")
        self.refuse("cannot get .*see its place", f"oci:{self.folder}/none", "aes")
        self.refuse("cannot get .*see its place", f"docker-archive:{self.folder}/none.tar", "aes")

    def test_unsuitable(self):
        """Another processor; no entry point."""
        registry = self.registry()
        configure(self.layout, "--architecture", "arm64")
        self.refuse(".*the image is for linux/arm64", registry.push(self.layout, "aes:arm"))
        self.push_list(registry, "aes:list")
        self.refuse("cannot get .*: there must be one for linux/amd64", f"docker://{registry.address}/aes:list")
        configure(self.layout, "--architecture", "amd64", "--clear=config.entrypoint")
        self.refuse(".*the image has no entry point", registry.push(self.layout, "aes:none"))

    def push_list(self, registry, name):
        """A list of images, with the layout's alone, for another processor."""
        name, tag = name.split(":")
        kind, of = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
        size = (self.layout / "blobs/sha256" / manifest(self.layout)).stat().st_size
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": [
            {"mediaType": of, "digest": "sha256:" + manifest(self.layout), "size": size,
             "platform": {"os": "linux", "architecture": "arm64"}}]}
        request = urllib.request.Request(f"http://{registry.address}/v2/{name}/manifests/{tag}", json.dumps(index).encode(),
                                         {"Content-Type": kind}, method="PUT")
        urllib.request.urlopen(request).close()

    def compose(self, text):
        path = self.folder / "functions.yaml"
        path.write_text(text)
        return path

    def test_compose(self):
        """A file shaped as vSwarm's: all functions in it, one with an entry point of its own."""
        registry = self.registry()
        registry.push(self.layout, "aes-c:latest")
        configure(self.layout, "--clear=config.entrypoint", "--config.cmd", "/nothing")
        registry.push(self.layout, "bare-aes:latest")
        path = self.compose(f"""
version: "3.9"
services:
  first:
    image: {registry.address}/aes-c:latest
    container_name: first
    ports:
      - 50051:50051
  second:
    image: {registry.address}/bare-aes:latest
    entrypoint:
      - /aes-c
      - -addr
      - 0.0.0.0:8083
    environment:
      - TRACING=true
    ports:
      - published: 50052
        target: 8083
  relay:
    image: {registry.address}/relay:latest
    ports:
      - target: 50000
  database:
    image: {registry.address}/some-database
""")
        added = self.add("-f", path, "--prefix", "their-")
        self.assertEqual([line.split()[0] for line in added.out.splitlines()], ["their-first", "their-second"])
        self.assertIn("relay is left out", added.err)
        self.assertEqual(self.slsuite("function", "test", "their-first").out.split()[1], "20")
        config, _ = self.in_guest("their-second")
        self.assertEqual(config["process"]["args"], ["/aes-c", "-addr", "0.0.0.0:8083"])
        self.assertIn("TRACING=true", config["process"]["env"])
        self.assertEqual(self.slsuite("function", "test", "their-second").out.split()[1], "20")
        self.slsuite("run", "their-second", "-n", 2, "--out", self.out)
        self.assertEqual(len(self.replies(self.out)), 2)
        self.refuse(".*functions.yaml:5: first: there is a function|.*functions.yaml.* their-first: there is a function",
                    "-f", path, "--prefix", "their-")
        self.refuse(".*no service is named lost", "-f", path, "lost", status=2)
        self.refuse(".*functions.yaml:25: .*does not tell", "-f", path, "database", status=2)
        self.add("-f", path, "first")
        self.assertIn("first", self.names())

    def with_services(self):
        """A function, and a chain of what it needs, each an image of its own at a port of its own."""
        greeter = self.folder / "greeter"
        shutil.copytree(self.slsuite("function", "build", "helloworld-c").out.split()[-1], greeter)
        configure(greeter, "--config.exposedports", "6002/tcp", "--config.exposedports", "7000/udp",
                  "--config.cmd", "-addr", "--config.cmd", "0.0.0.0:6002")
        configure(greeter, "--config.entrypoint", "/helloworld-c")
        return self.compose(f"""
services:
  mine:
    image: oci:{self.layout}:latest
    x-client: aes
    entrypoint: /aes-c -addr 0.0.0.0:7001
    environment: ["GREETER=first:6001"]
    ports: ["50051:7001"]
    depends_on: [second, first]
  first:
    image: oci:{greeter}:latest
    entrypoint: /helloworld-c -addr 0.0.0.0:6001
    environment: {{ROLE: first}}
    expose: [6001]
    depends_on:
      second: {{condition: service_started}}
  second:
    image: oci:{greeter}:latest
""")

    def test_services(self):
        """They run on core 0, started in the order of who needs whom, and are reached by name; on this computer, too."""
        self.add("-f", self.with_services())
        described = json.loads((self.added / "mine/function.yaml").read_text())
        self.assertEqual([(name, service["port"]) for name, service in described["services"].items()],
                         [("second", "6002"), ("first", "6001")])
        said = self.shell("""set -e
slsuite-function start mine
for n in 1:second:6002 2:first:6001; do
    set -- $(echo $n | tr : ' ')
    ip netns exec function client -addr "10.88.$1.2:$3" -function helloworld -n 3
    grep "10.88.$1.2 $2" /run/slsuite/functions/mine/rootfs/etc/hosts
    cat "/sys/fs/cgroup/service-$2/cpuset.cpus.effective"
done
xargs -0 -n 1 echo <"/proc/$(cat /run/slsuite/functions/mine/service-first/pid)/environ"
client -addr localhost:50051 -function aes -n 3
slsuite-function check mine
slsuite-function stop mine
echo "left: $(ip -br link | grep -c veth) links"
""", "mine").out
        for seen in "10.88.1.2 second\n0\n", "10.88.2.2 first\n0\n", "ROLE=first", "left: 0 links":
            self.assertIn(seen, said.replace("\r", ""))
        self.assertEqual(said.count("3 invocations"), 3, said)
        self.assertEqual(self.slsuite("function", "test", "mine").out.split(), [*"mine 20 replies are right".split()])
        self.slsuite("run", "mine", "-n", 2, "--out", self.out)
        self.assertEqual(len(self.replies(self.out)), 2)

    @slow
    def test_services_beside_podman(self):
        self.add("-f", self.with_services())
        self.slsuite("run", "mine", "-n", 2, "--runtime", "podman", "--out", self.out, seconds=400)
        self.assertEqual(len(self.replies(self.out)), 2)

    def test_unsuitable_services(self):
        mine = f"services:\n  aes:\n    image: oci:{self.layout}:latest\n    depends_on: [other]\n"
        other = f"  other:\n    image: oci:{self.layout}:latest\n"
        many = "".join(f"  s{i}:\n    image: oci:{self.layout}:latest\n    expose: [1]\n" for i in range(9))
        odd = (mine + other + "    expose: [1]\n").replace("other", "o_ther")
        for text, why in ((mine, "3: aes: depends on other, which the file does not describe"),
                          (mine + other + "    depends_on: [aes]\n", "6: other: depends on aes, and that on it"),
                          (mine + "  other:\n    build: .\n", "6: other: has no image"),
                          (mine + other, r"3: other: neither the file \(expose: …\) nor its image says where it listens"),
                          (odd, "3: my-aes: services: o_ther: a name is of at most"),
                          (mine.replace("[other]", str([f"s{i}" for i in range(9)])) + many, "3: my-aes: needs 9 services: at most 8")):
            with self.subTest(why):
                self.refuse(".*functions.yaml:" + why, "-f", self.compose(text), "aes", "--prefix", "my-")

    def test_service_that_ends(self):
        path = self.with_services()
        path.write_text(path.read_text().replace("/helloworld-c -addr 0.0.0.0:6001", "/helloworld-c -bad"))
        self.add("-f", path)
        self.refused("the service first ended before it listened on port 6001", "run", "mine", "--out", self.out)
        self.refused(".*the service first ended before it listened on port", "function", "test", "mine")

    def test_compose_values(self):
        """Texts for lists, mappings for lists."""
        path = self.compose(f"""
services:
  mine:
    image: oci:{self.layout}:latest
    entrypoint: /aes-c -addr "0.0.0.0:50051"
    command: []
    environment: {{A: 1, B: two words}}
    x-client: -function aes -input 'x y'
    depends_on: {{}}
""")
        self.add("-f", path)
        described = json.loads((self.added / "mine/function.yaml").read_text())
        self.assertEqual(described["entrypoint"], ["/aes-c", "-addr", "0.0.0.0:50051"])
        self.assertEqual(described["client"], ["-function", "aes", "-input", "x y"])
        self.assertLessEqual({"A=1", "B=two words"}, set(self.in_guest("mine")[0]["process"]["env"]))

    def test_malformed_compose(self):
        self.refuse("cannot read .*none.yaml", "-f", self.folder / "none.yaml")
        for text, line, why in (("services:\n  a: {", 3, "not YAML"), ("services:\n\ta: 1", 2, "not YAML"), ("a: 1", 1, "services"),
                                ("", 1, "services"), ("services: 5", 1, "services"), ("services:\n  a: text", 2, "a: must be a mapping"),
                                ("services:\n  a: {}\n  a: {}", 3, "a: is there twice"),
                                ("services:\n  a:\n    image: [x]", 3, "image: "),
                                ("services:\n  a:\n    entrypoint: {}", 3, "entrypoint: "),
                                ("services:\n  a:\n    command: 'x \"y'", 3, "command: a quote"),
                                ("services:\n  a:\n    environment:\n      - A", 4, "environment: "),
                                ("services:\n  a:\n    ports:\n      - http", 4, "ports: "),
                                ("services:\n  a:\n    depends_on: x", 3, "depends_on: "),
                                ("services:\n  a:\n    build: .", 3, "a: has no image")):
            with self.subTest(text):
                self.refuse(rf".*functions.yaml:{line}: {why}", "-f", self.compose(text), "a")
