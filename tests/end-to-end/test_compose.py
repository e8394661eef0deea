#!/usr/bin/python3
"""Docker Compose files as the specification has them. What they become is read from what is added; few tests start anything."""

import functools
import json
import pathlib
import re
import shutil
import tempfile
import unittest

from adding import NEEDED, Adding, configuration, configure
from harness import BUILD, REPOSITORY, slow
from registry import command

DOCS = REPOSITORY / "docs/functions.md"
SCHEMA = REPOSITORY / "tests/data/compose-service-keys.txt"  # of schema/compose-spec.json, compose-spec/compose-spec@170098ba07d9
BEYOND = {"pre_start", "x-client"}  # 05-services.md has the former, the schema has not yet

# What asks for something of each key that is not done. They are legal by the schema.
ASKING = """
cap_add: [NET_ADMIN]
cgroup: host
configs: [c]
credential_spec: {file: x}
device_cgroup_rules: ['c 1:3 mr']
devices: ['/dev/x:/dev/x']
external_links: [x]
gpus: all
group_add: [mail]
ipc: host
isolation: hyperv
models: [m]
network_mode: host
pid: host
platform: linux/arm64
post_start: [{command: x}]
pre_start: [{command: x}]
privileged: true
provider: {type: x}
pull_policy: build
runtime: nvidia
secrets: [s]
sysctls: {net.core.somaxconn: 1024}
use_api_socket: true
userns_mode: private
uts: host
volumes_from: [x]
cap_drop: [ALL]
cpu_count: 1
cpu_percent: 1
cpu_period: 1
cpu_quota: 1
cpu_rt_period: 1
cpu_rt_runtime: 1
cpu_shares: 1
cpus: 0.5
cpuset: 0,1
deploy: {resources: {limits: {memory: 50M}}}
domainname: x
extra_hosts: ['x:1.2.3.4']
hostname: x
init: true
mac_address: 02:42:ac:11:65:43
mem_limit: 1g
mem_reservation: 1g
oom_kill_disable: true
oom_score_adj: 5
pids_limit: 5
read_only: true
scale: 2
security_opt: ['seccomp:unconfined']
shm_size: 1g
tty: true
ulimits: {nofile: 5}
annotations: {a: b}
attach: false
blkio_config: {weight: 300}
build: .
cgroup_parent: x
develop: {watch: []}
dns: 8.8.8.8
dns_opt: [use-vc]
dns_search: [x]
healthcheck: {test: [NONE]}
label_file: x
labels: [a=b]
logging: {driver: none}
mem_swappiness: 5
memswap_limit: 5
pre_stop: [{command: x}]
pull_refresh_after: 5d
restart: always
stdin_open: true
stop_grace_period: 1s
stop_signal: SIGUSR1
storage_opt: {size: 1G}
"""
# And what asks for nothing that is not there anyhow.
HARMLESS = """
privileged: false
network_mode: bridge
platform: linux/amd64
runtime: runc
pull_policy: every_12h
cap_add: [SETUID, CHOWN]
security_opt: ['no-new-privileges:true']
devices: []
secrets: null
scale: 1
deploy: {mode: replicated, replicas: 1, restart_policy: {condition: any}, labels: {a: b}}
init: false
volumes: []
sysctls: {}
"""


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
class Read(Adding):
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

    def test_merge_keys(self):
        text = """
x-one: &one {entrypoint: [/app/server, -addr, "0.0.0.0:7777"], ports: ["7777:7777"], working_dir: /one}
x-two: &two
  working_dir: /two
  user: "7"
  environment: &env {MODE: fast, KEPT: "1"}
services:
  fn:
    <<: [*one, *two]
    image: IMG
    environment:
      <<: *env
      MODE: slow
  other: {<<: *two, image: IMG, environment: *env}
"""
        config, described = self.said(text)
        self.assertEqual(config["Entrypoint"], ["/app/server", "-addr", "0.0.0.0:7777"])
        self.assertEqual((config["WorkingDir"], config["User"], described["port"]), ("/one", "7", "7777"))
        self.assertEqual(set(config["Env"]), {"FROM=image", "OTHER=image", "MODE=slow", "KEPT=1"})
        self.assertNotIn("Cmd", config)
        self.assertEqual(self.said(text, name="other")[0]["WorkingDir"], "/two")

    def test_yaml(self):
        """What is no plain tree of one's own."""
        many = "x: &a0 [1, 1]\n" + "".join(f"x-{i}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(30))
        for text, why in (
            ("services:\n  a: {", "3: not YAML"),
            ("services:\n\ta: 1", "2: not YAML"),
            ("a: 1", "1: a: a Docker Compose file has no"),
            ("", "1: services"),
            ("services: 5", "1: services"),
            ("- services", "1: services"),
            ("services: {}", "1: services"),
            ("services:\n  fn: text", "2: fn: must be a mapping"),
            ("services:\n  fn: {}\n  fn: {}", "3: fn: is there twice"),
            ("services:\n  fn:\n    image: a\n    image: b", "4: image: is there twice"),
            ("services: &a\n  fn: *a", r"2: \*a: no &a is complete"),
            ("services:\n  fn: *b", r"2: \*b: no &b"),
            (many, r"\d+: more values"),
            ("x-a: " + "[" * 60 + "]" * 60, "1: nested too deep"),
            ("services:\n  fn:\n    <<: 5", "3: <<: must be a mapping"),
            ("x-a: !mine 5", "1: the tag !mine"),
            ('x-a: "\\0"', "1: a text with a NUL"),
            ("servces: {}", "1: servces: .* did you mean services"),
            ("services:\n  fn:\n    image: [x]", "3: fn: image: "),
            ("services:\n  fn: ", "2: fn: has no image: build"),
        ):
            with self.subTest(text[:60]):
                self.refuse_text(why, text)
        self.refuse("cannot read .*none.yaml", "-f", self.folder / "none.yaml")

    def test_values(self):
        """What is not in quotes is what YAML takes it for; null is nothing."""
        text = self.service("""
environment: {A: null, B: ~, C: , D: 'null', E: 1.10, F: "1.10", G: yes, H: True, I: 0x1F, J: 017, K: 1_000, L: 1e6, M: 1:2, N: 1.2.3, O: -0.50,
  P: !!str 1.10, Q: &a .5, R: *a, S: 2024-01-01, T: .inf, U: '', V: 0o17, W: 12345678901234567890, OUTSIDE: }
""")
        self.assertEqual(
            self.environment(text, environment={"OUTSIDE": "in $HOME"}),
            {
                "D": "null",
                "E": "1.1",
                "F": "1.10",
                "G": "yes",
                "H": "true",
                "I": "31",
                "J": "15",
                "K": "1000",
                "L": "1e+06",
                "M": "1:2",
                "N": "1.2.3",
                "O": "-0.5",
                "P": "1.10",
                "Q": "0.5",
                "R": "0.5",
                "S": "2024-01-01",
                "T": ".inf",
                "U": "",
                "V": "15",
                "W": "1.2345678901234567e+19",
                "OUTSIDE": "in $HOME",
            },
        )

    def test_variables(self):
        text = (
            self.service("""
environment:
  - PLAIN=$SET-${SET}
  - EMPTY=[${NONE:-d}|${NONE-d}|${VOID:-d}|${VOID-d}|${SET:-d}]
  - OTHER_=[${NONE:+o}|${VOID:+o}|${VOID+o}|${SET:+o}|${SET+o}]
  - NESTED=${NONE:-${VOID:-${SET}s}}${VOID-}${NONE:-{}}
  - DOLLAR=$$SET $$${SET} $5 $ a$
  - $SET=name
  - REQUIRED=${SET:?why}${VOID?why}
  - UNSET=<$NONE>
  - FILE=$FILE $SET
  - PROJECT=$COMPOSE_PROJECT_NAME
command: -addr 0.0.0.0:${PORT:-50051}
""")
            + "name: My-Project\n  \n"
        )
        self.compose("FILE='from it'\nSET=not this\n", ".env")
        values = self.environment(text, environment={"SET": "s", "VOID": ""})
        self.assertEqual(
            values,
            {
                "PLAIN": "s-s",
                "EMPTY": "[d|d|d||s]",
                "OTHER_": "[||o|o|o]",
                "NESTED": "ss{}",
                "DOLLAR": "$SET $s $5 $ a$",
                "s": "name",
                "REQUIRED": "s",
                "UNSET": "<>",
                "FILE": "from it s",
                "PROJECT": "my-project",
            },
        )
        self.assertIn("the variable NONE is not set", self.process.err)
        self.assertEqual(self.result()[0]["Cmd"], ["-addr", "0.0.0.0:50051"])
        other = self.compose("FILE=other\n", "other.env")
        self.assertEqual(self.environment(text, "--env-file", other, environment={"SET": "s", "VOID": ""})["FILE"], "other s")
        self.assertEqual(self.said("services: {fn: {image: '${SOURCE_:?}'}}", environment={"SOURCE_": self.image})[1]["source"], self.image)
        for value, why in (
            ("${NONE:?it is $HOME}", "the variable NONE is missing: it is /h"),
            ("${VOID:?}", "the variable VOID is missing"),
            ("${NONE?}", "the variable NONE is missing"),
            ("${SET", "a brace is left open"),
            ("${SET/a/b}", "must be a name"),
            ("${}", "must be a name"),
            ("${5}", "must be a name"),
            ("${A:-" * 20 + "}" * 20, "variables nested too deep"),
        ):
            with self.subTest(value):
                self.refuse_text(
                    f"4: fn: command: .*{why}", self.service(f"command: '{value}'"), environment={"VOID": "", "HOME": "/h", "SET": "s"}
                )
        self.refuse("--env-file is for", self.image, "--env-file", other, status=2)

    def test_only_what_is_asked_for_is_judged(self):
        text = (
            self.service("ports: ['50051']")
            + """
  bad: {image: '${NONE:?}', ports: [http], privileged: true, colour: red, env_file: none, environment: [[1]], extends: nobody, command: "'"}
  worse: text
  v.e_R-y odd: {depends_on: 5}
"""
        )
        self.said(text)
        self.assertNotIn("NONE", self.process.err)
        shutil.rmtree(self.added)
        text = text.replace("image: oci", "x-client: helloworld, image: oci").replace("fn:", "fn:\n    x-client: helloworld")
        self.assertEqual(self.add("-f", self.file(text)).out.split()[0], "fn")
        for name, why in (("bad", "5: bad: extends: no service is named nobody"), ("worse", "6: worse: must be a mapping")):
            self.refuse_text(why.replace("5:", r"\d+:").replace("6:", r"\d+:"), text, name)

    def test_environment(self):
        """Names alone are taken from outside, or are taken away; files in their order, below."""
        self.file("A=a\nB=a\nC=a\nOTHER=a", "a.env")
        self.file(
            """\ufeff# a remark
B=b # a remark
C=b# none
export D = 'single $A \\n\\'s'
E="double $A\\t\\"$$\\$A ${NONE:-x}
second line" # a remark
F: colon
OUTSIDE
NOT_THERE
G=
H=a=b c
""",
            "b.env",
        )
        self.file("R='$A' # all\n#no\nOUTSIDE\n", "raw.env")
        text = self.service("""
env_file: [a.env, {path: ./b.env, required: true}, {path: none.env, required: false}, {path: raw.env, format: raw}]
environment: [B=own, C, A=, FROM, EQUALS=a=b]
""")
        config, _ = self.said(text, environment={"OUTSIDE": "out"})
        self.assertEqual(
            set(config["Env"]),
            {
                "A=",
                "B=own",
                "OTHER=a",
                "D=single $A \\n's",
                'E=double a\t"$$A x\nsecond line',
                "F=colon",
                "OUTSIDE=out",
                "G=",
                "H=a=b c",
                "R='$A' # all",
                "EQUALS=a=b",
            },
        )
        self.assertEqual(self.environment(self.service("env_file: a.env")), {"A": "a", "B": "a", "C": "a"})
        for lines, why in (
            ("env_file: none.env", "4: fn: env_file: cannot read .*none.env"),
            ("env_file: [{path: a.env, format: ini}]", "4: .*format ini: there is raw"),
            ("env_file: [{file: a.env}]", "4: fn: env_file: must be a path"),
            ("env_file: bad.env", "4: .*bad.env:2: A: a quote is left open"),
            ("environment: [A: 1]", "4: fn: environment: must be"),
            ("environment: A=1", "4: fn: environment: must be"),
            ("environment: {A: [1]}", "4: fn: environment: A: must be"),
        ):
            with self.subTest(lines):
                self.file("B=1\nA='x\n", "bad.env")
                self.refuse_text(why, self.service(lines))

    def test_many_variables(self):
        self.file("".join(f"V{i}={i}\n" for i in range(500)), "many.env")
        self.assertEqual(self.environment(self.service("env_file: many.env"))["V499"], "499")

    def test_words(self):
        """null is the image's; nothing is nothing; an entry point takes the image's command away."""
        own, usual = ["/app/server"], ["-addr", "0.0.0.0:50051"]
        for lines, entrypoint, arguments in (
            ("entrypoint: null\ncommand: ~", own, usual),
            ("command: []", own, None),
            ("command: ''", own, None),
            ("command: -a 'b c' \"d\\ne\"", own, ["-a", "b c", "dne"]),
            ("entrypoint: [/app/server, 5]", [*own, "5"], None),
            ("entrypoint: /link/server -x\ncommand: [y]", ["/link/server", "-x"], ["y"]),
            ("entrypoint: []\ncommand: /app/server", None, own),
            ("entrypoint: ''\ncommand: [/app/server]", None, own),
        ):
            with self.subTest(lines):
                config, described = self.said(self.service(lines))
                self.assertEqual((config.get("Entrypoint"), config.get("Cmd")), (entrypoint, arguments))
                self.assertEqual(described["entrypoint"], (entrypoint or []) + (arguments or []))
        self.refuse_text(
            "3: .*neither the image's nor the file's entrypoint and command leave anything",
            self.service("entrypoint: []"),
            "fn",
            "--replace",
        )
        self.refuse_text("4: fn: command: a quote is left open", self.service("command: 'x \"y'"))
        self.refuse_text("4: fn: entrypoint: must be a text", self.service("entrypoint: {}"))

    def test_ports(self):
        for ports, port in (
            ("['9999:9999/udp', '6000:50051']", 50051),
            ("['50000-50001:50050-50051', '127.0.0.1::7']", 50051),
            ("['[::1]:50051:7']", 7),
            ("['::1:6000:6001']", 6001),
            ("['3000-3005']", 3000),
            ("[8000-9000:80]", 80),
            ("['7/udp']", 50051),
            ("[]", 50051),
            ("['127.0.0.1:5000-5010:6000-6010/tcp']", 6000),
            ("[7, 8]", 7),
            ("[{target: 7}, {target: 50051, protocol: udp}]", 7),
            ("[{target: '7', published: '8080-8090', host_ip: '::1', protocol: tcp, mode: host, name: x, app_protocol: h2c, x-a: 1}]", 7),
        ):
            with self.subTest(ports):
                self.assertEqual(self.said(self.service(f"ports: {ports}"))[1]["port"], str(port))
        self.assertEqual(self.said(self.service("expose: ['7/udp', 3000-3005/tcp]"))[1]["port"], "3000")
        self.assertEqual(self.said(self.service("expose: [3000]\nports: [7/udp]"))[1]["port"], "3000")
        self.assertEqual(self.said(self.service("ports: [7/udp]"), "--port", "9")[1]["port"], "9")
        for ports, why in (
            ("[http]", "http: must be PORT"),
            ("['0']", "must be"),
            ("['70000']", "must be"),
            ("['1-2:3-5']", "must be"),
            ("['7/quic']", "must be"),
            ("['host:1:2']", "must be"),
            ("[{published: 5}]", "target: must"),
            ("[{target: 5, colour: 5}]", "colour: no such key"),
            ("[{target: 5, protocol: quic}]", "protocol: quic"),
            ("['5-4']", "must be"),
            ("['a:']", "must be"),
            ("[null]", "must be"),
            ("[[5]]", "must be"),
            ("5.5", "must be"),
            ("{a: 5}", "must be a list"),
        ):
            with self.subTest(ports):
                self.refuse_text(f"4: fn: ports: .*{why}", self.service(f"ports: {ports}"))
        self.refuse_text("4: fn: expose: 1:2: must be", self.service("expose: ['1:2']"))

    def test_extends(self):
        self.file(
            "services:\n  base: {extends: root, environment: {B: base}, env_file: in.env}\n  root: {image: IMG, user: '7', environment: [A=root, B=root]}\n",
            "sub/common.yaml",
        )
        self.file("IN=sub", "sub/in.env")
        text = """
services:
  fn: {extends: {service: middle}, environment: {C: fn}, ports: ['50051']}
  middle: {extends: {file: sub/common.yaml, service: base}, command: [x], ports: ['7'], working_dir: /m}
  one: {extends: two}
  two: {extends: one}
  self: {extends: self}
  lost: {extends: {file: none.yaml, service: a}}
  less: {extends: {file: sub/common.yaml, service: a}}
  odd: {extends: {file: sub/common.yaml, service: base, colour: red}}
"""
        config, described = self.said(text)
        self.assertEqual((config["User"], config["WorkingDir"], config["Cmd"], described["port"]), ("7", "/m", ["x"], "50051"))
        self.assertEqual(set(config["Env"]) - {"FROM=image", "OTHER=image"}, {"A=root", "B=base", "C=fn", "IN=sub"})
        for name, why in (
            ("one", r"\d: two: extends: one extends itself"),
            ("self", "7: self: extends: self extends itself"),
            ("lost", "8: lost: extends: cannot read .*none.yaml"),
            ("less", "9: less: extends: no service is named a in sub/common.yaml"),
            ("odd", "10: odd: extends: colour: no such key"),
        ):
            with self.subTest(name):
                self.refuse_text(why, text, name)

    def test_several_files(self):
        """Mappings by key, lists one behind the other, words replaced; !reset and !override; what is null says nothing."""
        base = self.file(
            self.service("""
environment: [A=1, B=1, GONE=1]
command: [one, two]
ports: ['7']
user: '7'
working_dir: /w
depends_on: [first]
env_file: a.env
privileged: true
""")
            + "  first: {image: IMG, expose: [1]}\n",
            "compose.yaml",
        )
        over = self.file(
            """
services:
  fn:
    environment: {B: 2, C: 2, GONE: !reset null}
    command: [three]
    ports: ['50051']
    user: null
    working_dir: !reset ''
    depends_on: {second: {condition: service_started}}
    env_file: b.env
    privileged: !override false
  second: {image: IMG, expose: [2]}
---
services: {fn: {environment: [D=3]}}
""",
            "sub/over.yaml",
        )
        self.compose("IN=a\nA=a\n", "a.env")
        self.compose("IN=b\n", "b.env")
        self.add("-f", base, "-f", over, "fn", "--client", "helloworld")
        config, described = self.result()
        self.assertEqual((config["Cmd"], config["User"], config.get("WorkingDir", ""), described["port"]), (["three"], "7", "", "50051"))
        self.assertEqual(set(config["Env"]) - {"FROM=image", "OTHER=image"}, {"A=1", "B=2", "C=2", "D=3", "IN=b"})
        self.assertEqual(list(described["services"]), ["first", "second"])
        third = self.file(
            "services: {fn: {ports: !override ['8'], depends_on: !reset [], environment: !override {E: 1}, env_file: !reset null}}",
            "third.yaml",
        )
        self.add("-f", base, "-f", over, "-f", third, "fn", "--client", "helloworld", "--replace")
        config, described = self.result()
        self.assertEqual((described["port"], described["services"]), ("8", {}))
        self.assertEqual(set(config["Env"]), {"FROM=image", "OTHER=image", "E=1"})
        bad = self.file("services: {fn: {ports: [!reset '7']}}", "bad.yaml")
        self.refuse(".*bad.yaml:1: fn: ports: !reset and !override are for keys", "-f", over, "-f", bad, "fn", "--replace")
        gone = self.file("services: {fn: !reset null}", "gone.yaml")
        self.refuse("fn: is taken away", "-f", base, "-f", gone, "fn", "--replace")

    def test_include(self):
        self.file("services: {there: {image: IMG, expose: ['${PORT}'], environment: [P=$PORT], env_file: it.env}}", "sub/it.yaml")
        self.compose("PORT=7\n", "sub/.env")
        self.compose("IT=sub\n", "sub/it.env")
        text = "include: [sub/it.yaml]\n" + self.service("depends_on: [there]")
        _, described = self.said(text)
        self.assertEqual(described["services"]["there"]["port"], "7")
        self.assertLessEqual({"P=7", "IT=sub"}, set(configuration(self.added / "fn/services/there/oci")["Env"]))
        self.compose("PORT=8\n", "other.env")
        text = "include: [{path: [sub/it.yaml], env_file: other.env, project_directory: sub}]\n" + self.service("depends_on: [there]")
        self.assertEqual(self.said(text)[1]["services"]["there"]["port"], "8")
        self.refuse("cannot read .*none.yaml", "-f", self.file("include: [none.yaml]\n" + self.service("")), "fn")
        self.refuse(".*there: .* has one of that name, too", "-f", self.file(text + "  there: {image: IMG}\n"), "there", "--replace")
        self.refuse(
            ".*include: files include one another", "-f", self.file("include: [compose.yaml]\n" + self.service("")), "fn", "--replace"
        )

    def test_dependencies(self):
        """Under whatever names they have in the file."""
        text = """
services:
  fn:
    image: IMG
    depends_on: {Data_Base.1: {condition: service_healthy, restart: true}, absent: {condition: service_started, required: false}}
    links: ["cache:store", plain]
  Data_Base.1:
    image: IMG
    container_name: Mongo
    expose: ["6831/udp", 16686]
    networks: {net: {aliases: [db, data]}}
    healthcheck: {test: [CMD, x]}
  cache: {image: IMG, expose: [2], networks: [net]}
  plain: {image: IMG, expose: [3], networks: {net: }}
"""
        services = self.said(text)[1]["services"]
        self.assertEqual(
            {name: (service["port"], service.get("names")) for name, service in services.items()},
            {"data-base-1": ("16686", ["Mongo", "db", "data", "Data_Base.1"]), "cache": ("2", ["store"]), "plain": ("3", None)},
        )
        self.assertIn("fn: goes without absent", self.process.err)
        image_of_guest = self.slsuite("function", "install", "fn").out.split()[-1]
        self.assertEqual(
            command("debugfs", "-R", "cat /fn/services/list", image_of_guest).splitlines(),
            ["1 data-base-1 16686 own Mongo db data Data_Base.1", "2 cache 2 own store", "3 plain 3 own"],
        )
        for change, why in (
            (
                ("service_healthy", "service_completed_successfully"),
                "fn: depends_on: Data_Base.1: service_completed_successfully: what is to end",
            ),
            (("service_healthy", "service_well"), "fn: depends_on: .*service_well: no such condition"),
            (("required: false", "required: true"), "fn: depends on absent, which the file does not describe"),
            (("required: false", "required: perhaps"), "fn: depends_on: must be true or false"),
            (("aliases", "alias"), "Data_Base.1: networks: alias: no such key"),
            (("Mongo", "cache"), "cache: data-base-1 is reached under"),
            (("aliases: [db, data]", "ipv4_address: 1.2.3.4"), "Data_Base.1: networks: ipv4_address: addresses"),
            (("[net]", "[net], depends_on: [fn]"), "cache: depends on fn, and that on it"),
            (("[net]", "[net], privileged: true"), "cache: privileged: "),
        ):
            with self.subTest(change):
                self.refuse_text(rf"\d+: {why}", text.replace(*change), "fn", "--replace")

    def test_names(self):
        long = "a" * 70
        text = f"services:\n  Fn.A: &a {{image: IMG}}\n  fn-a: *a\n  fn_under: *a\n  {long}: *a\n  _._: *a\n  'o dd': *a\n"
        for name, spelt in (("Fn.A", "fn-a"), ("fn_under", "fn-under"), (long, "a" * 63)):
            process = self.add("-f", self.file(text), name, "--client", "helloworld")
            self.assertEqual(process.out.split()[0], spelt)
            self.assertIn(f"{name} is the function {spelt}", process.err)
        self.assertEqual(self.left(), sorted(["fn-a", "fn-under", "a" * 63]))
        self.slsuite("function", "remove", "a" * 63)
        self.refuse(
            "fn-a: would be the function fn-a, and so would Fn.A",
            "-f",
            self.file(text),
            "Fn.A",
            "fn-a",
            "--client",
            "helloworld",
            "--replace",
            status=2,
        )
        self.refuse(".*_._: .*is no name for a function", "-f", self.file(text), "_._", "--client", "helloworld", status=2)
        self.refuse(".*o dd: a service's name is of", "-f", self.file(text), "o dd", "--client", "helloworld")
        self.refuse(".*no service is named lost", "-f", self.file(text), "lost", status=2)
        two = self.service("depends_on: [A_b, a.B]") + "  A_b: &a {image: IMG, expose: [1]}\n  a.B: *a\n"
        self.refuse_text(r"\d+: a.B: is a-b here, as another one", two)

    def test_profiles(self):
        text = """
services:
  fn: {image: IMG, x-client: helloworld, profiles: [one]}
  always: {image: IMG, x-client: helloworld}
  needs: {image: IMG, depends_on: [fn], profiles: [two]}
"""
        self.assertEqual(self.add("-f", self.file(text)).out.split()[::2], ["always"])
        self.assertEqual(
            self.add("-f", self.file(text), "--replace", environment={"COMPOSE_PROFILES": "x,one"}).out.split()[::2], ["fn", "always"]
        )
        self.assertEqual(self.said(text)[1]["name"], "fn")
        self.refuse_text("5: needs: depends on fn, which has a profile that is not active", text, "needs")

    def test_folders(self):
        """New volumes and working directories are there, as Docker makes them."""
        text = (
            self.service("""
volumes: [/data/deep, 'vol:/link/new', 'vol2:/app:ro', {type: volume, source: vol3, target: /var/v, volume: {}}, {type: tmpfs, target: /empty}]
tmpfs: /run/t:size=5
working_dir: /work/dir
""")
            + "volumes: {vol: , vol2: {}, vol3: {driver: local}, out: {external: true}, opt: {driver_opts: {type: nfs}}}\n"
        )
        self.said(text)
        self.assertIn("fn: not done here: tmpfs (", self.process.err)
        image_of_guest = self.slsuite("function", "install", "fn").out.split()[-1]
        for path, mode in (
            ("data/deep", "0755"),
            ("app/new", "0755"),
            ("var/v", "0755"),
            ("empty", "1777"),
            ("run/t", "1777"),
            ("work/dir", "0755"),
        ):
            self.assertRegex(command("debugfs", "-R", f"stat /fn/rootfs/{path}", image_of_guest), rf"Type: directory\s+Mode:\s+0?{mode}")
        self.assertIn("symlink", command("debugfs", "-R", "stat /fn/rootfs/link", image_of_guest))
        self.assertIn("/server/", command("debugfs", "-R", "ls -p /fn/rootfs/app", image_of_guest))
        for lines, why in (
            ("volumes: ['./here:/x']", "./here:/x: nothing is mounted"),
            ("volumes: [/etc/passwd:/x]", "nothing is mounted"),
            ("volumes: ['~/x:/x']", "nothing"),
            ("volumes: ['out:/x']", "out: what is in it is not known"),
            ("volumes: ['opt:/x']", "opt: what is in it"),
            ("volumes: ['who:/x']", "who: the file's own"),
            ("volumes: [{type: bind, source: a, target: /x}]", "bind: nothing is mounted"),
            ("volumes: ['vol:x']", "x: must be a folder"),
            ("volumes: ['vol:/a/../b']", "without .."),
            ("tmpfs: /tmp/x", "/tmp/x: the container has a file system of its own above it"),
            ("volumes: ['vol:/x:nocopy']", "nocopy"),
            ("volumes: [{type: volume}]", "must have type and target"),
            ("volumes: [{type: volume, target: /x, colour: 5}]", "colour: no such key"),
            ("tmpfs: [5]", "5: must be a folder"),
        ):
            with self.subTest(lines):
                self.refuse_text(
                    rf"4: fn: {lines.split(':')[0]}: .*{why}", self.service(lines) + text[text.index("volumes: {vol") :], "fn", "--replace"
                )
        self.refuse_text("3: tmpfs: /var/full: the image has files there", self.service("tmpfs: [/var/full]"), "fn", "--replace")
        self.refuse_text("3: /app/server: cannot be a folder", self.service("volumes: [/app/server]"), "fn", "--replace")
        shared = (
            self.service("depends_on: [o]\nvolumes: ['v1:/x']") + "  o: {image: IMG, expose: [1], volumes: ['v1:/y']}\nvolumes: {v1: }\n"
        )
        self.said(shared)
        self.assertRegex(self.process.err, r"compose.yaml:\d+: o: volumes: v1: fn has it, too: each has one of its own")

    def test_user(self):
        for user in "5", "1000:1000", "server:9":
            self.assertEqual(self.said(self.service(f"user: {user}"))[0]["User"], user)
        self.said(self.service("user: server\nworking_dir: /app"))
        image_of_guest = self.slsuite("function", "install", "fn").out.split()[-1]
        process = json.loads(command("debugfs", "-R", "cat /fn/config.json", image_of_guest))["process"]
        self.assertEqual((process["user"]["uid"], process["user"]["gid"], process["cwd"]), (7, 8, "/app"))
        self.refuse_text("3: cannot unpack .*nobody.*: give a user that is in it", self.service("user: nobody"), "fn", "--replace")
        self.refuse_text("4: fn: user: must be USER", self.service("user: ':5'"), "fn", "--replace")
        self.refuse_text("4: fn: working_dir: must begin with /", self.service("working_dir: here"), "fn", "--replace")

    def keys(self):
        """{key: what is done, how}, as the program says it."""
        lines = self.slsuite("function", "add", "--list-keys").out.splitlines()
        return {line[:20].strip(): (line[21:31].strip(), line[32:]) for line in lines}

    def test_table(self):
        """The documentation has the program's table, and that has all keys of the specification."""
        begin = DOCS.read_text().index("| key | here | |\n")
        rows = DOCS.read_text()[begin:].split("\n\n")[0].splitlines()[2:]
        written = {key: (use, what) for key, use, what in (re.fullmatch(r"\| `(\S+)` \| (.+?) \| (.+) \|", row).groups() for row in rows)}
        self.assertEqual(written, self.keys())
        self.assertEqual(list(written), sorted(written))
        self.assertEqual(set(written), set(SCHEMA.read_text().split()) | BEYOND)

    def test_what_is_not_done(self):
        """By name, each: refused, in one line with all others, or in silence."""
        asking = dict(line.split(": ", 1) for line in ASKING.strip().splitlines())
        uses = {key: use for key, (use, _) in self.keys().items()}
        self.assertEqual(set(asking), {key for key, use in uses.items() if use != "done"})
        for key in (key for key in asking if uses[key] == "refused"):
            with self.subTest(key):
                self.refuse_text(rf"4: fn: {key}: \S", self.service(f"{key}: {asking[key]}"))
        named = [key for key in asking if uses[key] == "named"]
        self.said(self.service("\n".join(f"{key}: {value}" for key, value in asking.items() if uses[key] != "refused")))
        lines = [line for line in self.process.err.splitlines() if "not done here" in line]
        self.assertEqual([set(re.search("not done here: (.*) \\(", line)[1].split(", ")) for line in lines], [set(named)])
        self.said(self.service(HARMLESS))
        self.assertNotIn("not done", self.process.err)
        for lines, why in (
            ("scale: 0", "scale: none"),
            ("deploy: {replicas: 0}", "deploy: none"),
            ("evironment: {}", "evironment: .*did you mean environment"),
            ("colour: red", "colour: a service has no such key$"),
            ("deploy: {resources: {reservations: {devices: [{count: 1}]}}}", "deploy: the container has no"),
            ("build: .", ""),
        ):
            with self.subTest(lines):
                text = self.service(lines).replace("    image: IMG\n", "") if lines == "build: ." else self.service(lines)
                self.refuse_text(rf"\d: fn: {why or 'has no image: build and push'}", text, "fn", "--replace")
        self.assertEqual(self.said(self.service("x-anything: [1]\nx-client: aes"))[1]["name"], "fn")


class Added(Adding):
    """With the image of a function, started."""

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
