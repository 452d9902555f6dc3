"""Open every page that `build.py` made in headless Chromium, from disk, and report errors.

    python examples/gallery/check.py [folder of screenshots]

It reports pictures that do not load, messages in the console, links to missing pages or missing
anchors, and requests to the network. It needs Chromium and its driver (Debian: apt install
chromium chromium-driver). It talks to the driver by the protocol of the W3C:
https://www.w3.org/TR/webdriver2/
"""

import base64
import json
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

HTML = Path(__file__).parent.parent / "output" / "html"
ADDRESS = "http://127.0.0.1:9515"
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --allow-file-access-from-files --window-size=1280,1600""".split()
BROKEN = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
LINKS = "return [...document.links].map(a => a.href).filter(h => h.startsWith('file:'))"


def ask(path, body=None, method=None):
    """Send a request to the driver and return its answer."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(ADDRESS + path, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


def begin(profile):
    """Start a browser and return the path of its session."""
    for _ in range(50):
        try:
            if ask("/status")["ready"]:
                break
        except URLError:  # the driver is still starting
            time.sleep(0.1)
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": {"args": [*FLAGS, f"--user-data-dir={profile}"]},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    return "/session/" + ask("/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]


@cache
def text_of(path):
    """The text of a page, or None if there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


def leads_somewhere(link):
    """True if the page exists and contains the anchor of the link."""
    parts = urlsplit(link)
    text = text_of(Path(unquote(parts.path)))
    return text is not None and (not parts.fragment or f'id="{unquote(parts.fragment)}"' in text)


def findings(session, page):
    """A list of the errors of one page."""
    ask(f"{session}/url", {"url": page.as_uri()})
    run = lambda script: ask(f"{session}/execute/sync", {"script": script, "args": []})
    found = [f"no picture: {source}" for source in run(BROKEN)]
    found += [f"no such place: {link}" for link in run(LINKS) if not leads_somewhere(link)]
    log = lambda kind: ask(f"{session}/se/log", {"type": kind})
    found += [f"console: {entry['message']}" for entry in log("browser")]
    for entry in log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            if url.startswith(("http", "ws")):  # the browser's own chrome:// is fine
                found.append(f"network: {url}")
    return found


def main():
    """Check all pages. The exit code is 1 if there are errors."""
    pages = sorted(HTML.rglob("*.html"))
    if not pages:
        sys.exit(f"no pages in {HTML}: run build.py first")
    shots = Path(sys.argv[1]) if sys.argv[1:] else None
    wrong = 0
    driver = subprocess.Popen(["chromedriver", "--port=9515", "--log-level=SEVERE"])
    try:
        with tempfile.TemporaryDirectory() as profile:
            session = begin(profile)
            for page in pages:
                found = findings(session, page)
                if shots:
                    shots.mkdir(exist_ok=True)
                    name = "_".join(page.relative_to(HTML).with_suffix(".png").parts)
                    picture = base64.b64decode(ask(f"{session}/screenshot"))
                    (shots / name).write_bytes(picture)
                for what in found:
                    print(f"{page.relative_to(HTML)}: {what}")
                wrong += len(found)
            ask(session, method="DELETE")
    finally:
        driver.terminate()
        driver.wait()
    print(f"{len(pages)} pages, {wrong} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
