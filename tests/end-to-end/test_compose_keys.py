#!/usr/bin/python3
"""Of the keys that a service in a Docker Compose file may have, what is done of each: in the program, the documentation, and in fact."""

import re

from composing import Composing
from harness import REPOSITORY

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


class Keys(Composing):
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
