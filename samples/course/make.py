#!/usr/bin/env python3
"""Brings the course up to date: runs the commands of README.md, puts what they print below them, and writes the
pictures, the pages and index.html. The web pages, 100 KB each, are not in the repository.

    samples/course/make.py [CONVTOOL]           build/release/convtool, if it is not given
    samples/course/make.py --check [CONVTOOL]   changes nothing; says what is out of date, and exits with 1

bash runs the commands in a copy of this folder, in order. A command that writes a file shows no output.
"""

import difflib
import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COURSE = pathlib.Path(__file__).resolve().parent
# A command, and the lines of its output: indented, or empty and followed by such lines.
COMMAND = re.compile(r"^    \$ (.*)\n((?:    (?!\$ ).*\n|\n(?=\n*    (?!\$ )))*)", re.MULTILINE)
STEP = re.compile(r"^## (\d+)\. (.*)\n\n((?:(?!## )(?:.*)\n)*)", re.MULTILINE)


def make(folder, convtool):
    """The new files of the course by name, made in `folder`, a copy of the old ones."""
    (folder / "bin").mkdir()
    (folder / "bin/convtool").symlink_to(convtool)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    files = []

    def with_output(match):
        command = match[1]
        done = subprocess.run(["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        file = re.search(r" -o ([\w.]+)$", command)
        if not file:
            return f"    $ {command}\n" + "".join(f"    {line}".rstrip() + "\n" for line in done.stdout.splitlines())
        if done.returncode != 0:
            sys.exit(f"{command}\n{done.stdout}")
        files.append(file[1])
        return f"    $ {command}\n"

    text = COMMAND.sub(with_output, (COURSE / "README.md").read_text())
    made = {name: (folder / name).read_bytes() for name in files}
    return {"README.md": text.encode(), "index.html": index(text, files).encode(), **made}


def index(text, files):
    """A web page with the title, the words, the picture and the page of each step."""
    steps = []
    for number, title, body in STEP.findall(text):
        words = html.escape(body.split("\n\n")[0].replace("\n", " "))
        words = re.sub(r"`([^`]*)`", r"<code>\1</code>", words)
        picture = re.search(r"!\[(.*)\]\((.*)\)", body)
        page = f"{int(number):02}.html"
        link = f' <a href="{page}">Try it</a>' if page in files else ""
        figure = f'\n  <img src="{picture[2]}" alt="{html.escape(picture[1])}">' if picture else ""
        if figure and link:
            figure = f'\n  <a href="{page}">{figure.strip()}</a>'
        steps.append(f"<section>\n  <h2>{number}. {html.escape(title)}</h2>\n  <p>{words}{link}</p>{figure}\n</section>")
    return (COURSE / "index.template.html").read_text().replace("{{steps}}", "\n".join(steps))


def main():
    arguments = sys.argv[1:]
    check = arguments[:1] == ["--check"]
    program = arguments[check:] or [COURSE.parents[1] / "build/release/convtool"]
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "course"
        shutil.copytree(COURSE, copy)
        new = make(copy, pathlib.Path(program[0]).resolve(strict=True))
    stale = [name for name, content in new.items()
             if not (COURSE / name).exists() or (COURSE / name).read_bytes() != content]
    unused = [each.name for each in COURSE.iterdir() if each.suffix in (".svg", ".gif") and each.name not in new]
    if check:
        stale = [name for name in stale if not name.endswith(".html")]
    else:
        for name in stale:
            (COURSE / name).write_bytes(new[name])
        for name in unused:
            (COURSE / name).unlink()
        print(f"wrote {COURSE / 'index.html'}")
        return
    if "README.md" in stale:
        old, current = (COURSE / "README.md").read_text(), new["README.md"].decode()
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), current.splitlines(True), "README.md", "now"))
    if stale or unused:
        sys.exit(f"out of date: {', '.join(stale + unused)}; run samples/course/make.py")


main()
