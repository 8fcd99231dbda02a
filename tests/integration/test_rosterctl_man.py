"""Manual pages and completion, made of the tables of commands and options."""

import os
import re
import subprocess

import pytest

from service import BUILD, TOP

PAGES = {"rosterctl": 8, "rosterd": 8, "roster.conf": 5}


def rosterctl(*words):
    return subprocess.run([BUILD / "rosterctl", *words], capture_output=True, text=True, check=True).stdout


def page(name):
    return BUILD / "man" / f"{name}.{PAGES[name]}"


def render(name):
    return render_file(page(name))


def render_file(file):
    command = ["man", "--warnings", "-E", "UTF-8", "-Tutf8", "-l", file]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, MANWIDTH="200", LC_ALL="C.UTF-8"))
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)


def commands():
    """The commands that --help names."""
    lines = rosterctl("--help").split("Commands:\n")[1].split("\n\n")[0].splitlines()
    return [re.match(r"  ((?:[a-z]+ ?){1,2}?)(?=  |$| [A-Z])", line).group(1).strip() for line in lines]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_well_formed_and_made_of_this_program(name):
    assert page(name).read_text() == rosterctl("man", name)
    assert f"{name}({PAGES[name]})" in render(name)


def test_the_page_of_backups_says_what_its_help_says():
    text = " ".join(render_file(TOP / "contrib/roster-backup.8").split())
    usage = subprocess.run([TOP / "contrib/roster-backup", "--help"], capture_output=True, text=True, check=True).stdout
    for form in re.findall(r"roster-backup .*", usage):
        assert form in text


def test_the_page_has_every_command_and_option():
    text = render("rosterctl")
    for command in commands():
        assert re.search(rf"^   {command}\b", text, re.MULTILINE), command
        for option in re.findall(r"^ +(--[a-z-]+)", rosterctl(*command.split(), "--help"), re.MULTILINE):
            assert option in text


def test_the_page_has_what_an_import_takes(service):
    text = render("rosterctl").split("\nIMPORT AND EXPORT\n")[1].split("\nEXIT STATUS\n")[0]
    columns = service.rosterctl("user", "export", "--format", "csv").stdout.splitlines()[0].split(",")
    assert re.findall(r"^ {7}([a-z_]+)(?: |$)", text.split("The fields:")[1], re.MULTILINE) == columns
    assert len(re.findall(r"Must be there\.", text)) == 2


def test_the_page_has_every_option_of_the_configuration():
    text = render("roster.conf")
    printed = subprocess.run([BUILD / "rosterd", "--print-config", "--config", "/dev/null"], capture_output=True, text=True)
    names = re.findall(r"^#?(\w+) =", printed.stdout, re.MULTILINE)
    assert len(names) > 30
    assert [name for name in names if not re.search(rf"^ +{name}\b", text, re.MULTILINE)] == []


def complete(line):
    """What bash offers at the end of a line, which it takes apart at blanks and at "="."""
    words = re.sub("=", " = ", line).split(" ")
    script = f"""
        source {BUILD}/completions/rosterctl
        COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}
        _rosterctl
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "line, offered",
    [
        ("rosterctl mig", ["migrate"]),
        ("rosterctl --config x mig", ["migrate"]),
        ("rosterctl --config=x mig", ["migrate"]),
        ("rosterctl --set a=b mig", ["migrate"]),
        ("rosterctl --set=a=b -s c=d mig", ["migrate"]),
        ("rosterctl user export --output=x --j", ["--json"]),
        ("rosterctl user --h", ["--help"]),
        ("rosterctl user de", ["deactivate", "delete"]),
        ("rosterctl user import --s", ["--skip-errors"]),
        ("rosterctl user show ali --j", ["--json"]),
        ("rosterctl --ver", ["--version"]),
        ("rosterctl nothing ", []),
    ],
)
def test_completion(line, offered):
    assert complete(line) == offered


def test_every_command_is_completed():
    for command in commands():
        first, _, second = command.partition(" ")
        assert first in complete("rosterctl ")
        assert not second or second in complete(f"rosterctl {first} ")


def test_what_is_not_there():
    for words, message in ((["man", "x"], "there is no page x"), (["completion", "fish"], "there is a completion for bash only")):
        done = subprocess.run([BUILD / "rosterctl", *words], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (3, "", f"rosterctl: {message}\n")
