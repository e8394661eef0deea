#!/usr/bin/python3
"""Docker Compose files as the specification has them. What they become is read from what is added; nothing is started."""

import json
import shutil

from adding import configuration
from composing import Composing
from registry import command


class Read(Composing):
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
