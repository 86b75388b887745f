"""The page in Firefox: `firefox.mjs` is the people there, and this is the network between them and the service."""

import subprocess
import threading
from pathlib import Path

from tests.support.processes import binary
from tests.support.tcp_proxy import TcpProxy

SCRIPT = Path(__file__).with_name("firefox.mjs")
# It takes a quarter of a minute where nothing else runs, and twice that beside four other tests on two cores.
ENDS_WITHIN_S = 120.0


def test_the_main_path_in_firefox(proxy: TcpProxy) -> None:
    """Signing in, sending, an outage, a start without the server, six tabs; the output has a line for each step."""
    said: list[str] = []
    command = [binary("node"), str(SCRIPT), proxy.url, binary("firefox-esr")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True) as script:
        deadline = threading.Timer(ENDS_WITHIN_S, end, [script, said])
        deadline.start()
        try:
            play(script, proxy, said)
        finally:
            deadline.cancel()
            script.terminate()
    assert script.returncode == 0, "\n".join(said)
    assert said[-1].startswith("all passed"), "\n".join(said)


def end(script: "subprocess.Popen[str]", said: list[str]) -> None:
    """It ends its browser, too, before it obeys."""
    said.append(f"did not come to its end within {ENDS_WITHIN_S} s")
    script.terminate()


def play(script: "subprocess.Popen[str]", proxy: TcpProxy, said: list[str]) -> None:
    """Do to the network what the script asks for, until it ends."""
    change = {"cut": proxy.cut, "restore": proxy.restore}
    assert script.stdin
    assert script.stdout
    for line in map(str.rstrip, script.stdout):
        said.append(line)
        if line in change:
            change[line]()
            script.stdin.write("done\n")
            script.stdin.flush()
    script.wait()
