"""Commands that stand in the documentation, and a terminal that they are typed at."""

import grp
import os
import re
import subprocess

from service import BUILD, TOP

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)


def pages():
    """README.md and docs/, by their names."""
    return {str(file.relative_to(TOP)): file.read_text() for file in [TOP / "README.md", *sorted(TOP.glob("docs/*.md"))]}


def blocks(text, language):
    """The fenced blocks of a page in that language, without their indentation."""
    return [
        re.sub(rf"^{indent}", "", body, flags=re.M)
        for indent, found, body in FENCE.findall(text)
        if found == language
    ]


def commands(text):
    """What a page tells to type, in order; a comment goes, a line that goes on takes the next one along."""
    lines = "".join(blocks(text, "sh")).replace("\\\n", "").splitlines()
    return [re.sub(r"\s+", " ", re.sub(r"\s+#.*", "", line)).strip() for line in lines]


# The programs of the build know their roster.conf; nginx is the instance's own. What only root may do is looked at by
# the program that would do it.
PROGRAMS = """
set -euo pipefail
rosterd() { command rosterd --config "$state/roster.conf" "$@"; }
rosterctl() { command rosterctl --config "$state/roster.conf" "$@"; }
roster-backup() { "$top/contrib/roster-backup" --config "$state/roster.conf" "$@"; }
nginx() { command nginx -p "$state/nginx/" -c "$state/nginx/nginx.conf" -e "$state/logs/nginx.log" "$@"; }
useradd() {
	local status=0
	/usr/sbin/useradd "${@:1:$#-1}" root || status=$?
	[ $status -eq 9 ] # root is there already; with wrong options it would be 2
}
"""


class Terminal:
    """Types commands of the documentation for an instance of the service, in a folder of its own."""

    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        self.output, self.key_lost = "", False
        # What stands in the text for a place, and where that is here.
        self.places = {
            "http://127.0.0.1:8000": service.url,
            "https://roster.example.org": service.url,
            "/usr/share/doc/roster/examples/": "contrib/",
            "/etc/roster/nginx-upstreams.conf": f"{service.state}/nginx/upstreams.conf",
            "/etc/roster/keys": f"{service.state}/keys",
            "contrib/": f"{TOP}/contrib/",
            "/usr/local/libexec/": f"{folder}/",
            "/etc/ssh/": f"{folder}/",
            "-g roster-keys": f"-g {grp.getgrgid(os.getgid()).gr_name}",
            "chgrp roster": f"chgrp {grp.getgrgid(os.getgid()).gr_name}",
            "mariadb roster": f"mariadb --no-defaults --socket={service.database_socket} {service.database}",
            "<token>": service.staff.token,
        }
        # Commands that a part of the system does; here it is a step of the instance.
        self.done_by = {
            "systemctl reload rosterd": service.renew,
            "systemctl stop rosterd": lambda: service.run("stop_rosterd"),
            "systemctl start rosterd": lambda: service.run("launch_rosterd", "wait_for_answer"),
        }

    def type(self, command):
        """Runs it; it has to succeed. What it prints is in .output."""
        self.output = ""
        if command in self.done_by:
            self.done_by[command]()
            return
        # The longest first, so that a file is not mistaken for something in its folder.
        for words in sorted(self.places, key=len, reverse=True):
            command = command.replace(words, self.places[words])
        done = subprocess.run(
            ["bash", "-c", PROGRAMS + command],
            cwd=self.folder,
            env=dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}:/usr/sbin", top=str(TOP),
                     state=str(self.service.state), no_proxy="*"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.output = done.stdout
