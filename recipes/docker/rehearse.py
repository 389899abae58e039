"""``python -m recipes.docker.rehearse ROOT``: the Dockerfile's steps in a folder, without Docker.

For machines that have no Docker daemon or no image registry. ROOT holds what FROM would bring,
a Debian with Python and pip; README.md beside this says how to make one. Needs Linux and root.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

DOCKERFILE = Path(__file__).with_name("Dockerfile")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Image:
    """A root folder, and what the instructions so far have set."""

    root: Path
    context: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "root"
    entry: tuple[str, ...] = ()

    def follow(self, instruction: str, value: str) -> None:
        """Do one instruction.

        Raises:
            CalledProcessError: a RUN failed.
            ValueError: this is no instruction known here.
        """
        match instruction:
            case "RUN":
                self.run(["/bin/sh", "-c", value])
            case "COPY":
                *sources, target = value.split()
                self._copy([self.context / source for source in sources], target)
            case "ARG" | "ENV":
                words = [word.partition("=") for word in shlex.split(value)]
                self.environment |= {name: text for name, _, text in words}
            case "WORKDIR":
                self.folder = value
                self._inside(value).mkdir(parents=True, exist_ok=True)
            case "USER":
                self.user = value
            case "ENTRYPOINT":
                self.entry = tuple(re.findall(r'"(.*?)"', value))
            case "VOLUME" | "CMD":
                pass
            case _:
                raise ValueError(f"{instruction} is not known here")

    def run(self, words: Sequence[str], *, network: bool = True) -> None:
        """Run ``words`` inside, as the image's user, with /proc and /dev of its own."""
        apart = ["unshare", "--mount", "--pid", "--fork", *([] if network else ["--net"])]
        inside = (
            'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && '
            'root="$0" user="$1" folder="$2" && shift 2 && '
            'exec chroot --userspec="$user" "$root" sh -c \'cd "$0" && exec "$@"\' "$folder" "$@"'
        )
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        subprocess.run(
            [*apart, "sh", "-c", inside, str(self.root), self.user, self.folder, *words],
            env={**self.environment, "HOME": home},
            check=True,
        )

    def _copy(self, sources: Sequence[Path], target: str) -> None:
        place = self._inside(target)
        for source in sources:
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, place, dirs_exist_ok=True, ignore=ignored)
            else:
                shutil.copy(source, place / source.name if target.endswith("/") else place)

    def _inside(self, path: str) -> Path:
        return self.root / str(PurePosixPath(self.folder, path)).lstrip("/")


def instructions(text: str, target: str) -> Iterator[tuple[str, str]]:
    """Instruction and value of each line that leads to ``target``, FROM left out."""
    stages: dict[str, list[tuple[str, str]]] = {}
    stage: list[tuple[str, str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, value = line.strip().partition(" ")
        if start := re.fullmatch(r"FROM (\S+) AS (\w+)", line):
            stage = stages.setdefault(start[2], list(stages.get(start[1], [])))
        elif name and not name.startswith("#"):
            stage.append((name, value.strip()))
    yield from stages[target]


def build(root: Path, target: str, arguments: Mapping[str, str]) -> Image:
    """Follow the Dockerfile in ``root``; each step is told.

    Args:
        arguments: as ``--build-arg`` gives them; they win over the file's own.
    """
    image = Image(root, DOCKERFILE.parents[2])
    for name, value in instructions(DOCKERFILE.read_text(encoding="utf-8"), target):
        print(f"{name} {value}", flush=True)
        image.follow(name, value)
        if name == "ARG":
            image.environment |= arguments
    return image


def main() -> None:
    """Build, then run the image's entry point with the words that follow, without network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--target", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("words", nargs="*", default=["--help"], help="for the entry point")
    given = parser.parse_intermixed_args()
    image = build(given.root, given.target, dict(a.split("=", 1) for a in given.build_arg))
    image.run([*image.entry, *given.words], network=False)


if __name__ == "__main__":
    main()
