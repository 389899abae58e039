"""Opening a file of unknown origin: by content, with no way to reach another file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import av
import av.error
from av.container import InputContainer

from voicefake.common.errors import BadInput
from voicefake.common.files import regular_file

# Formats that hold sound or moving pictures in one file. Play lists, scripts, devices
# and single pictures are left out: they can name other files or have no length.
DEMUXERS = (
    "3dostr,aac,ac3,aiff,amr,ape,asf,ast,au,av1,avi,caf,dsf,dv,eac3,flac,flv,gif,gxf,h264,"
    "hevc,ivf,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,"
    "nut,obu,ogg,rm,shn,sox,swf,tak,tta,voc,w64,wav,wv,yuv4mpegpipe"
)
_STILL_BRANDS = (b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
NOT_MEDIA = "is not a sound or video file that can be read"
EXPORT_AGAIN = "export it again, for example as wav or mp4"


class _Nameless:
    """A file without its name, so that FFmpeg goes by the content alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _refuse_other_files(url: str, flags: int, options: dict[str, str]) -> Any:
    raise PermissionError(f"a media file may not open another one ({url})")


@contextmanager
def open_input(
    path: Path,
    options: dict[str, str] | None = None,
    decoder_options: dict[str, str] | None = None,
) -> Iterator[InputContainer]:
    """The container at ``path``, opened for reading.

    Args:
        path: any name; it is never parsed as an address, pattern or option.
        options: further FFmpeg options of the demuxer.
        decoder_options: FFmpeg options for the decoders that look into the streams.

    Raises:
        BadInput: not a regular file, or not media.
    """
    regular_file(path)
    _refuse_phone_pictures(path)
    guarded = {"format_whitelist": DEMUXERS, "protocol_whitelist": "", **(options or {})}
    with open(path, "rb") as file:
        try:
            container = av.open(
                _Nameless(file),
                "r",
                options=decoder_options,
                container_options=guarded,
                metadata_errors="replace",
                io_open=_refuse_other_files,
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise BadInput(path, *_explain(path, error)) from error
        try:
            yield container
        finally:
            container.close()


def _refuse_phone_pictures(path: Path) -> None:
    """HEIC and AVIF open as videos, of which FFmpeg may show one tile.

    Raises:
        BadInput: it is one.
    """
    with open(path, "rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        kind = "an AVIF" if head[8:12] == b"avif" else "a HEIC"
        raise BadInput(path, f"is {kind} picture", "save it as png or jpeg")


def _explain(path: Path, error: Exception) -> tuple[str, str]:
    """Fault and remedy for a file that did not open."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head.startswith(_PICTURES) or head[8:12] == b"WEBP":
        return "is a still picture", "name a sound or video file"
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return "is cut off or damaged (its index is missing)", "copy or download it again"
    if head.startswith(b"#EXTM3U") or head.startswith(b"ffconcat"):
        return "is a play list, not media", "give the files it names instead"
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError):
        return f"cannot be read ({error.strerror or error})", "check the disk and permissions"
    if head[:4] in (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM") or head[:3] == b"ID3":
        return "has a damaged header", EXPORT_AGAIN
    return NOT_MEDIA, EXPORT_AGAIN


def file_address(path: Path) -> str:
    """``path`` as FFmpeg must be given it to write: nothing in it is read as a protocol."""
    return f"file:{path.absolute()}"
