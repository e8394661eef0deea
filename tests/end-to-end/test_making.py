"""What most tests stand on, made for the first time: kernel and base image, base layers, checkpoints. The others wait for these."""

import pytest

from harness import CACHE, FUNCTIONS, ODD, PROGRAMS, Case, checkpoints


class Making(Case):
    prepared = False

    def twice(self, *command):
        """It is made, and said; a second time there is nothing to do, and the outcome is the same."""
        CACHE.mkdir(parents=True, exist_ok=True)
        first, again = self.slsuite(*command, seconds=1800), self.slsuite(*command)
        self.assertEqual(first.out, again.out)
        self.assertNotIn("done in", again.err)
        return first

    @pytest.mark.makes("base")
    def test_base(self):
        self.twice("image", "build")
        self.twice("function", "build", *FUNCTIONS)

    @pytest.mark.makes("layer:go")
    def test_go(self):
        self.twice("function", "build", "aes-go")

    @pytest.mark.makes("layer:nodejs")
    def test_nodejs(self):
        self.twice("function", "build", "aes-nodejs")

    @pytest.mark.makes("layer:python")
    def test_python(self):
        self.twice("function", "build", "aes-python")

    @pytest.mark.makes("layer:services")
    @pytest.mark.needs("layer:python")
    def test_services(self):
        self.twice("function", "build", "crud-api-python")

    def checkpoint(self, *command):
        """A first run boots, a second one finds what the first one has frozen."""

        def made():
            return [path for path in checkpoints(CACHE) if path.name.startswith(f"{command[1]}-")]

        boot, found = "boot and warm up", made()
        first = self.slsuite(*command, "--out", self.out)
        again = self.slsuite(*command, "--out", self.folder / "again")
        self.assertIn(f"{boot} {command[1]}: done in", first.err)
        self.assertNotIn(boot, again.err)
        self.assertEqual(len(made()), len(found) + 1)
        self.same_results(self.out, self.folder / "again")

    @pytest.mark.makes("checkpoint:aes-c")
    @pytest.mark.needs("base")
    def test_checkpoint(self):
        self.checkpoint("run", "aes-c", "-n", 3)

    @pytest.mark.makes("checkpoint:odd-c")
    @pytest.mark.needs("base")
    def test_odd(self):
        self.slsuite("run", "odd-c", "-n", 1, "-q", "--out", self.out, environment=ODD)

    @pytest.mark.makes("checkpoint:exec")
    @pytest.mark.needs("base")
    def test_exec(self):
        command = "exec", "--out", self.out, "--", PROGRAMS / "marked", "reset", "compute", "1", "dump"
        self.assertRegex(self.slsuite(*command).err, r"(?m)^boot.*: done in")
        self.assertIn("instructions", (self.out / "invocations.csv").read_text())

    @pytest.mark.makes("checkpoint:shell")
    @pytest.mark.needs("base")
    def test_shell(self):
        first, again = self.shell("echo alive"), self.shell("echo alive")
        self.assertRegex(first.err, r"(?m)^boot the guest: done")
        self.assertNotIn("boot the guest", again.err)
        self.assertIn("alive", again.out)

    @pytest.mark.makes("checkpoint:shell-aes-c")
    @pytest.mark.needs("base")
    def test_shell_of_a_function(self):
        self.assertRegex(self.shell("true", "aes-c").err, r"(?m)^boot the guest with aes-c: done")
        self.assertNotIn("boot the guest", self.shell("true", "aes-c").err)
