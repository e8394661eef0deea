#!/usr/bin/python3
"""Images of others as functions: from a real registry, layouts and archives; and what is refused."""

import base64
import json
import os
import pathlib
import socket
import urllib.request

from adding import Adding, configure, load, manifest
from registry import command

USER, PASSWORD = "student", "opensesame:42"


def layer(layout):
    return load(layout, manifest(layout))["layers"][-1]["digest"].removeprefix("sha256:")


class Added(Adding):
    def test_from_everywhere(self):
        """Registry, layout, archive: each is listed, answers on this computer and in the guest, is exported, and removed."""
        archive = self.exported()
        for name, source in (
            ("pulled", self.registry().push(self.layout, "team/aes-c:one")),
            ("copied", f"oci:{self.layout}:latest"),
            ("loaded", f"docker-archive:{archive}"),
        ):
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
        configure(
            self.layout,
            "--clear=config.entrypoint",
            "--config.entrypoint",
            "../aes-c",
            "--config.cmd",
            "-addr",
            "--config.cmd",
            "0.0.0.0:50051",
            "--config.workingdir",
            "/app",
            "--config.env",
            "TWO=two words",
        )
        self.add(f"oci:{self.layout}", "aes")
        self.slsuite("function", "test", "aes", environment={"PATH": str(tools)})

    def test_zstd(self):
        """Layers that umoci does not read are compressed anew."""
        command(
            "skopeo",
            "--insecure-policy",
            "copy",
            "-q",
            "--dest-compress",
            "--dest-compress-format",
            "zstd",
            f"docker-archive:{self.exported()}",
            f"oci:{self.folder}/zstd:latest",
        )
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
        for arguments, pattern in (
            ((), "function add takes IMAGE"),
            ((source, "a", "b"), "function add takes IMAGE"),
            (("rsync:/x", "a"), "rsync:/x: unknown kind of image"),
            (("docker://", "a"), ".*unknown kind"),
            ((source, "mine"), "mine: its name does not tell its service: give --client"),
            ((source, "mine", "--client", "-n 5"), "mine: its client's options name no service"),
            ((source, "mine", "--client", "'aes"), "--client 'aes: .*quote"),
            ((source, "mine", "--client", "aes " + "-m5ops " * 50), "mine: more than 48 words"),
            ((source, "mine", "--prefix", "x"), "--prefix"),
        ):
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
        said = [
            self.refuse("cannot get .*--creds-file", source, "--creds-file", bad),
            self.refuse(".*odd: no credentials", source, "--creds-file", odd),
            self.refuse("cannot read .*none", source, "--creds-file", self.folder / "none"),
            self.add(source, "--creds-file", good),
        ]
        (self.folder / "auth.json").write_text(
            json.dumps({"auths": {guarded.address: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}})
        )
        said.append(self.add(source, "--replace"))  # as skopeo login leaves it
        secrets = [text for secret in (PASSWORD, "shibboleth") for text in (secret, base64.b64encode(f"{USER}:{secret}".encode()).decode())]
        written = [path.read_text() for path in self.added.glob("*/*") if path.is_file()]
        for text in [one.out + one.err for one in said] + written:
            self.assertFalse([secret for secret in secrets if secret in text], text)

    def test_damaged(self):
        """A layer that is cut off, or another than its digest says; in the registry and in a layout."""
        registry = self.registry()
        pushed = registry.push(self.layout, "aes:latest")
        for blob, source in (
            (registry.blob(layer(self.layout)), pushed),
            (self.layout / "blobs/sha256" / layer(self.layout), f"oci:{self.layout}:latest"),
        ):
            whole = blob.read_bytes()
            blob.chmod(0o644)
            for name, data in (("cut", whole[: len(whole) // 2]), ("changed", whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])):
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
        index = {
            "schemaVersion": 2,
            "mediaType": kind,
            "manifests": [
                {
                    "mediaType": of,
                    "digest": "sha256:" + manifest(self.layout),
                    "size": size,
                    "platform": {"os": "linux", "architecture": "arm64"},
                }
            ],
        }
        request = urllib.request.Request(
            f"http://{registry.address}/v2/{name}/manifests/{tag}", json.dumps(index).encode(), {"Content-Type": kind}, method="PUT"
        )
        urllib.request.urlopen(request).close()
