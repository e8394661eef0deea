#!/usr/bin/python3
"""Functions and their services of Docker Compose files, started on this computer and in the guest."""

import json
import shutil

from adding import Adding, configure
from harness import slow


class Started(Adding):
    def test_a_file(self):
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
        self.refuse(
            ".*functions.yaml:5: first: there is a function|.*functions.yaml.* their-first: there is a function",
            "-f",
            path,
            "--prefix",
            "their-",
        )
        self.refuse(".*no service is named lost", "-f", path, "lost", status=2)
        self.refuse(".*functions.yaml:25: .*does not tell", "-f", path, "database", status=2)
        self.add("-f", path, "first")
        self.assertIn("first", self.names())

    def with_services(self):
        """A function, and a chain of what it needs, each an image of its own at a port of its own."""
        greeter = self.folder / "greeter"
        shutil.copytree(self.slsuite("function", "build", "helloworld-c").out.split()[-1], greeter)
        configure(
            greeter,
            "--config.exposedports",
            "6002/tcp",
            "--config.exposedports",
            "7000/udp",
            "--config.cmd",
            "-addr",
            "--config.cmd",
            "0.0.0.0:6002",
        )
        configure(greeter, "--config.entrypoint", "/helloworld-c")
        return self.compose(f"""
services:
  mine:
    image: oci:{self.layout}:latest
    x-client: aes
    entrypoint: /aes-c -addr 0.0.0.0:7001
    environment: ["GREETER=The.First:6001"]
    user: "7:8"
    working_dir: /made/here
    ports: ["50051:7001"]
    depends_on: [second, The.First]
  The.First:
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
        self.assertEqual(
            [(name, service["port"]) for name, service in described["services"].items()], [("second", "6002"), ("the-first", "6001")]
        )
        said = self.shell(
            """set -e
slsuite-function start mine
for n in 1:second:6002 2:the-first:6001; do
    set -- $(echo $n | tr : ' ')
    ip netns exec function client -addr "10.88.$1.2:$3" -function helloworld -n 3
    grep "10.88.$1.2 $2" /run/slsuite/functions/mine/rootfs/etc/hosts
    cat "/sys/fs/cgroup/service-$2/cpuset.cpus.effective"
done
xargs -0 -n 1 echo <"/proc/$(cat /run/slsuite/functions/mine/service-the-first/pid)/environ"
pid=$(cat /run/slsuite/functions/mine/pid)
echo "in $(readlink "/proc/$pid/cwd") as $(stat -c %u:%g "/proc/$pid")"
client -addr localhost:50051 -function aes -n 3
slsuite-function check mine
slsuite-function stop mine
echo "left: $(ip -br link | grep -c veth) links"
""",
            "mine",
        ).out
        for seen in "10.88.1.2 second\n0\n", "10.88.2.2 the-first The.First\n0\n", "in /made/here as 7:8\n", "ROLE=first", "left: 0 links":
            self.assertIn(seen, said.replace("\r", ""))
        self.assertEqual(said.count("3 invocations"), 3, said)
        self.assertEqual(self.slsuite("function", "test", "mine").out.split(), [*"mine 20 replies are right".split()])
        self.slsuite("run", "mine", "-n", 2, "--out", self.out)
        self.assertEqual(len(self.replies(self.out)), 2)

    @slow
    def test_services_beside_podman(self):
        self.add("-f", self.with_services())
        self.slsuite("run", "mine", "-n", 2, "--runtime", "podman", "--out", self.out, seconds=1800)
        self.assertEqual(len(self.replies(self.out)), 2)

    def test_unsuitable_services(self):
        mine = f"services:\n  aes:\n    image: oci:{self.layout}:latest\n    depends_on: [other]\n"
        other = f"  other:\n    image: oci:{self.layout}:latest\n"
        many = "".join(f"  s{i}:\n    image: oci:{self.layout}:latest\n    expose: [1]\n" for i in range(9))
        for text, why in (
            (mine, "3: aes: depends on other, which the file does not describe"),
            (mine + other + "    depends_on: [aes]\n", "6: other: depends on aes, and that on it"),
            (mine + "  other:\n    build: .\n", "6: other: has no image"),
            (mine + other, r"3: other: neither the file \(expose: …\) nor its image says where it listens"),
            (mine.replace("[other]", str([f"s{i}" for i in range(9)])) + many, "3: my-aes: needs 9 services: at most 8"),
        ):
            with self.subTest(why):
                self.refuse(".*functions.yaml:" + why, "-f", self.compose(text), "aes", "--prefix", "my-")

    def test_service_that_ends(self):
        path = self.with_services()
        path.write_text(path.read_text().replace("/helloworld-c -addr 0.0.0.0:6001", "/helloworld-c -bad"))
        self.add("-f", path)
        self.refused("the service the-first ended before it listened on port 6001", "run", "mine", "--out", self.out)
        self.refused(".*the service the-first ended before it listened on port", "function", "test", "mine")
