"""Headless Chromium, driven by its DevTools protocol over a pair of pipes: no port, no driver, no library.

Pages are files; what a page asks of the network, and what it complains of, is kept.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # as root, in a container, there is none to be had
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
PATIENCE = 90.0
"""Seconds that Chromium may take for one answer."""


def program() -> str:
    """Chromium's. Without it the test is skipped, saying so; in CI it fails."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    missing = "there is no Chromium: install it (Debian, Ubuntu: chromium)"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


class ChromiumError(Exception):
    """Chromium said no, or the page did."""


class Chromium:
    """A browser with one tab."""

    def __init__(self, path: str, home: str) -> None:
        commands, self._out = _pipe()
        self._in, answers = _pipe()
        # Chromium reads commands on 3 and answers on 4.
        actions = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        quiet = (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)
        argv = [path, *OPTIONS, f"--user-data-dir={home}", "about:blank"]
        env = {**os.environ, "HOME": home, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        self._pid = os.posix_spawn(path, argv, env, file_actions=[*actions, quiet], setpgroup=0)
        os.close(commands)
        os.close(answers)
        self._rest = b""
        self._last = 0
        self._session = ""
        self.asked: list[str] = []
        """Addresses that the page asked for, itself left out."""
        self.complaints: list[str] = []
        """What it said on its console, and what was thrown or forbidden."""

    def open_tab(self) -> Self:
        """Take the tab that there is."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def call(self, method: str, **params: Any) -> Any:
        """A command's answer; events that come before it are taken note of."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._read()
            if answer.get("id") != self._last:
                self._note(answer)
            elif "error" in answer:
                raise ChromiumError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._in, 1 << 20) if ready else b""
            if not data:
                raise ChromiumError("it is gone" if ready else f"no answer in {PATIENCE:g} seconds")
            self._rest += data
        line, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def _note(self, event: Mapping[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps(params["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {params['message']}")
                self.call("Page.handleJavaScriptDialog", accept=True)

    def show(
        self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False, fragment: str = ""
    ) -> None:
        """Load a file, and wait until it is laid out."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url="about:blank")
        self.until("location.href === 'about:blank'")
        self.asked.clear()
        self.complaints.clear()
        address = page.resolve().as_uri()
        self.call("Page.navigate", url=address + fragment)
        self.until(f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'")
        self.settle()
        self.asked[:] = [asked for asked in self.asked if asked.partition("#")[0] != address]

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise ChromiumError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for a condition in the page."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(ChromiumError):  # the page that is left is gone in the middle of an answer
                if self.run(condition):
                    return
            if time.monotonic() > deadline:
                raise ChromiumError(f"never: {condition}")

    def press(self, *keys: str) -> None:
        """Press keys, each by its name; a single character is typed."""
        for key in keys:
            text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
            code = {"Space": " "}.get(key, key)
            known = _CODES.get(key, ord(key.upper()) if len(key) == 1 else 0)
            pressed = {"key": code, "windowsVirtualKeyCode": known, "code": key}
            self.call("Input.dispatchKeyEvent", type="keyDown", **pressed, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)
        self.settle()

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse, after bringing it into view."""
        before, at = None, self._middle(selector)
        while at != before:  # what comes into view is laid out only then, and moves what is below
            before, at = at, self._middle(selector)
        where = {"x": at[0], "y": at[1], "button": "left", "clickCount": 1}
        for what in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=what, **where)
        self.settle()

    def _middle(self, selector: str) -> list[float]:
        element = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{element}.scrollIntoView({{block: 'center'}})")
        self.settle()
        x, y, width, height = self.run(
            f"(({{x, y, width, height}}) => [x, y, width, height])({element}.getBoundingClientRect())"
        )
        return [x + width / 2, y + height / 2]

    def close(self) -> None:
        """End it, and what it started."""
        with suppress(ChromiumError, OSError):
            self._session = ""
            self.call("Browser.close")
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)


_CODES = {
    "Enter": 13, "Escape": 27, "Space": 32, "Tab": 9, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}  # fmt: skip


def _pipe() -> tuple[int, int]:
    """A pipe with ends that are none of a child's first numbers."""
    ends = os.pipe()
    high = tuple(fcntl(end, F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser, with a profile of its own."""
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        browser = Chromium(program(), home)
        try:
            yield browser.open_tab()
        finally:
            browser.close()
