"""An instance as Elastic Beanstalk makes it: from the zip alone, with its own directory and virtual environment."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import requests

from beanstalk import bundle_config
from tests.support.engines import free_port, wait_for_port
from tests.support.nginx import Nginx

NOT_REHEARSED = re.compile(r"\s*(region|endpoint|secret_key|secret_key_fallbacks|allowed_hosts|https)\s*[=:]")
SITE_SECTIONS = {"[django]", "[flask]"}
# A target group's health check: its Host is the instance's address, not the site's name.
HEALTH_CHECK = {"Host": "10.0.3.7", "User-Agent": "ELB-HealthChecker/2.0"}


class Instance:
    """``folder`` stands for /var/app. ``properties`` are the environment's; ``drained`` are seconds from SIGTERM."""

    def __init__(self, name: str, folder: Path, dynamodb: str) -> None:
        self.name = name
        self.ports = {"web": free_port(), "live": free_port()}
        self.properties: dict[str, str] = {}
        self.drained: list[float] = []
        self._folder = folder
        self._dynamodb = dynamodb
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "nginx").mkdir(parents=True)
        self.nginx = Nginx(folder / "nginx")

    @property
    def current(self) -> Path:
        return self._folder / "current"

    @property
    def address(self) -> str:
        return self.nginx.address

    def log(self, name: str) -> str:
        """Return the log of a process so far: on Beanstalk /var/log/web.stdout.log."""
        return (self._folder / f"{name}.stdout.log").read_text()

    def deploy(self, bundle: Path) -> None:
        """Deploy a new version: unpack and prepare it beside the old one, then replace that."""
        staging = self._folder / "staging"
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(staging)
        self._adapt(staging / "beanstalk.config")
        self._install(staging / "requirements.txt")
        self._run_hooks(staging)
        self._end_processes()
        shutil.rmtree(self.current, ignore_errors=True)
        staging.rename(self.current)
        self.nginx.stop()
        self._start_processes()
        # All clients of a rehearsal have one address.
        self.nginx.start_on_instance(self.current, self.ports, limited=False)
        self.wait_until_healthy()

    def set_properties(self, **properties: str) -> None:
        """Set the environment properties and restart the processes, as Beanstalk does."""
        self.properties = properties
        if self._processes:
            self._end_processes()
            self._start_processes()
            self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + 60
        while requests.get(f"{self.address}/healthz/", headers=HEALTH_CHECK, timeout=60).status_code != 200:
            assert time.monotonic() < deadline, f"{self.name} is not healthy: {self.log('web')[-2000:]}"
            time.sleep(0.2)

    def stop(self) -> None:
        self.nginx.stop()
        self._end_processes()

    def _adapt(self, config: Path) -> None:
        """Replace the endpoint and the hosts. Drop HTTPS, which can't be rehearsed, and keys, which are properties."""
        region = bundle_config.read(config.read_bytes(), config.name).region
        lines = [line for line in config.read_text().splitlines() if not NOT_REHEARSED.match(line)]
        head = lines.index("[dynamodb]") + 1
        lines[head:head] = [f"region = {region}", f"endpoint = {self._dynamodb}"]
        if SITE_SECTIONS.isdisjoint(lines):
            lines.append("[django]")
        site = next(number for number, line in enumerate(lines) if line in SITE_SECTIONS) + 1
        lines[site:site] = ["allowed_hosts = 127.0.0.1"]
        config.write_text("\n".join(lines) + "\n")

    def _install(self, requirements: Path) -> None:
        if not (self._folder / "venv").exists():
            subprocess.run([sys.executable, "-m", "venv", str(self._folder / "venv")], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
        subprocess.run([str(self._folder / "venv/bin/python"), *install], check=True)

    def _run_hooks(self, staging: Path) -> None:
        for folder in ("prebuild", "predeploy"):
            for hook in sorted((staging / ".platform/hooks" / folder).glob("*")):
                subprocess.run(["sh", hook, self.current], cwd=staging, check=True)

    def _start_processes(self) -> None:
        """Start the Procfile's processes with the environment properties and little else, logging to a file each."""
        path = f"{self._folder}/venv/bin:{os.defpath}"
        for line in (self.current / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            words = shlex.split(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{self.ports[name]}", command))
            words[0] = str(self._folder / "venv/bin" / words[0])
            with (self._folder / f"{name}.stdout.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    words, cwd=self.current, env={"PATH": path} | self.properties, stdout=log, stderr=log
                )
        for name in self._processes:
            wait_for_port(self.ports[name])

    def _end_processes(self) -> None:
        began = time.monotonic()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(60)
            self.drained.append(time.monotonic() - began)
        self._processes.clear()
