"""A registry of images, for the tests that push and pull."""

import contextlib
import json
import socket
import subprocess
import time


def command(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


class Registry:
    """Debian's registry, on a free port of this computer; if there is a file of users, only for these."""

    def __init__(self, folder, users=None, host="127.0.0.1"):
        with socket.create_server((host, 0)) as s:
            port = s.getsockname()[1]
        self.address = f"{host}:{port}"
        self.storage = folder / "storage"
        config = {
            "version": "0.1",
            "log": {"level": "error"},
            "http": {"addr": self.address},
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}},
        }
        if users:
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(users)}}
        path = folder / f"registry-{self.address}.yaml"
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(["docker-registry", "serve", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(ConnectionError):
                socket.create_connection((host, port)).close()
                return
            time.sleep(0.05)
        raise AssertionError("the registry does not start")

    def end(self):
        self.process.terminate()
        self.process.wait()

    def push(self, layout, name):
        command(
            "skopeo",
            "--insecure-policy",
            "copy",
            "-q",
            "--dest-tls-verify=false",
            f"oci:{layout}:latest",
            f"docker://{self.address}/{name}",
        )
        return f"docker://{self.address}/{name}"

    def blob(self, digest):
        return self.storage / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
