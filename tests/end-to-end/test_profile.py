"""Where the code lies, as the guest tells it at the checkpoint; regions; `slsuite run --profile`."""

import itertools
import json
import re
import subprocess

import pytest

from harness import BUILD, CACHE, Case, checkpoints

pytestmark = pytest.mark.needs("checkpoint:aes-c")

FUNCTION = BUILD / "functions/aes/c/aes-c"


class Profile(Case):
    def checkpoint(self):
        self.slsuite("run", "aes-c", "-q", "-n", 1, "--out", self.folder / "one")
        key = json.loads((self.folder / "one/run.json").read_text())["digests"]["checkpoint"]
        return next(path for path in checkpoints(CACHE) if json.loads((path / "checkpoint.json").read_text())["checksum"] == key)

    def regions(self, checkpoint):
        lines = [line.split() for line in (checkpoint / "regions").read_text().splitlines()]
        return [(int(start, 16), int(end, 16), name) for start, end, name in lines]

    def test_regions(self):
        regions = self.regions(self.checkpoint())
        self.assertEqual(regions[0][0], 0)
        self.assertEqual(regions[-1][1], 2**64 - 1)
        for (_, end, _), (start, _, _) in itertools.pairwise(regions):
            self.assertEqual(end, start)
        self.assertLessEqual(
            {"aes-c", "vdso", "kernel", "kernel.entry", "kernel.network", "kernel.scheduler", "kernel.netfilter"},
            {name for _, _, name in regions},
        )
        # The program's code, as the linker placed it.
        headers = subprocess.run(["readelf", "-lW", FUNCTION], capture_output=True, text=True, check=True).stdout
        start, size = re.search(r"LOAD +\S+ (\S+) \S+ \S+ (\S+) R E", headers).groups()
        program = next((start, end) for start, end, name in regions if name == "aes-c")
        self.assertEqual(program, (int(start, 16), (int(start, 16) + int(size, 16) + 4095) & ~4095))

    def test_kernel_symbols(self):
        """The kernel's functions, and those of the modules; the parts hold what belongs there."""
        checkpoint, symbols = self.checkpoint(), {}
        regions = self.regions(checkpoint)
        for line in (checkpoint / "kallsyms").read_text().splitlines():
            address, _, name = line.split()[:3]
            symbols[name.removesuffix("_noprof")] = int(address, 16)  # so since Linux 6.10: what counts allocations lies before it
        where = lambda symbol: next(name for start, end, name in regions if start <= symbols[symbol] < end)
        for symbol, region in (
            ("tcp_sendmsg_locked", "kernel.network"),
            ("__schedule", "kernel.scheduler"),
            ("ep_poll_callback", "kernel.files"),
            ("kmem_cache_alloc", "kernel.memory"),
            ("entry_SYSCALL_64", "kernel.entry"),
            ("do_syscall_64", "kernel.entry"),
            ("nf_conntrack_in", "kernel.netfilter"),
            ("veth_xmit", "kernel.veth"),
            ("strlen", "kernel"),
        ):
            self.assertEqual(where(symbol), region, symbol)

    def test_profile(self):
        result = self.slsuite("run", "aes-c", "-n", 3, "--profile", "--out", self.out)
        for line in r"nghttp2_session_mem_recv", r"kernel\.network +tcp_", r"… \d+ more: see profile.txt":
            self.assertRegex(result.out, line)
        cycles, instructions = (
            sum(one[key]["total"] for one in json.loads((self.out / "invocations.json").read_text())["invocations"])
            for key in ("cycles", "instructions")
        )
        folded = [line.rsplit(" ", 1) for line in (self.out / "profile.folded").read_text().splitlines()]
        self.assertAlmostEqual(sum(int(count) for _, count in folded) / cycles, 1, 2)
        self.assertIn("aes-c;_nettle_aes_encrypt", dict(folded))
        annotated = subprocess.run(
            ["callgrind_annotate", self.out / "callgrind.out.profile"], capture_output=True, text=True, check=True
        ).stdout
        total = re.search(r"^([\d,]+) \(100.0%\) ([\d,]+) \(100.0%\).*PROGRAM TOTALS", annotated, re.M)
        self.assertEqual(int(total[2].replace(",", "")), sum(int(count) for _, count in folded))
        self.assertAlmostEqual(int(total[1].replace(",", "")) / instructions, 1, 2)
        self.assertIn("<h2>Hot spots</h2>", (self.out / "report.html").read_text())

    def test_profile_changes_nothing(self):
        self.slsuite("run", "aes-c", "-n", 3, "--out", self.folder / "plain")
        self.slsuite("run", "aes-c", "-n", 3, "--profile", "--out", self.out)
        self.same_results(self.folder / "plain", self.out)
