"""Whoever speaks into the microphone is heard in another voice; a file may stand for it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import WrongUse
from voicefake.common.files import regular_file
from voicefake.common.marks import Story, Watermark, marked_output
from voicefake.common.media import AudioReader, AudioWriter, Resampler
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter, Silent
from voicefake.engine import Networks
from voicefake.networks import LIVE_WEIGHTS, WEIGHTS
from voicefake.options import ConvertOptions
from voicefake.speakers import speaker_store
from voicefake.stream import VoiceStream
from voicefake.targets import Reference, find_target
from voicefake.voices import live_voice

_HELD = 2.0
"""Chunks that a device holds, so that it plays one while the next is converted."""
Samples = NDArray[np.float32]

_CHANNELS = 2
"""Of a device, or as many as it has: some take nothing but stereo."""

_SILENCE = 3.0
"""Seconds and five chunks in which a microphone that is there gives something, if only silence."""

_MOST_WAITING = 20
"""Chunks that may wait to be converted; what comes on top is lost, and told."""


@dataclass(frozen=True)
class LiveOptions:
    """Where the sound comes from and goes to.

    Attributes:
        source: a file in place of the microphone.
        microphone: name or number of the device (``None``: the system's default).
        output: name or number of the device that plays the result, e.g. a virtual cable.
        monitor: play it on the system's default device.
        record: file to write.
        chunk: seconds that are converted at once: shorter is sooner, and costs more.
        seconds: after which to stop (0: at the end of the file, or by Ctrl-C).
        low_latency: by networks that hardly look ahead; the full ones and the recogniser keep
            the words, a third of a second later.
    """

    source: Path | None = None
    microphone: str | None = None
    output: str | None = None
    monitor: bool = False
    record: Path | None = None
    chunk: float = 0.1
    seconds: float = 0.0
    low_latency: bool = True


@dataclass(frozen=True)
class LiveReport:
    """What was heard and given out.

    Attributes:
        seconds: converted.
        latency: seconds from mouth to ear: networks, chunk, and what the player holds. A
            microphone adds nothing to the chunk that it fills but its own converter's time.
        lost: chunks that came faster than they could be converted.
        gaps: times that a device had nothing to play.
        gone: the device that went away, which ended it (empty: none did).
    """

    seconds: float
    latency: float
    lost: int
    gaps: int
    record: Path | None
    warnings: tuple[str, ...] = ()
    gone: str = ""

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        return asdict(self) | {"record": self.record and str(self.record)}


def go_live(
    speaker: str | Reference,
    live: LiveOptions,
    *,
    options: ConvertOptions | None = None,
    store: ProfileStore | None = None,
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
) -> LiveReport:
    """Convert what is spoken, until Ctrl-C, the end of the file, or ``live.seconds``.

    What is played carries the watermark, what is recorded all marks.

    Raises:
        WrongUse: the result would go nowhere, a device is not there, or sounddevice is not.
        BadInput: the speaker's profile, or the file, cannot be used.
        Refused: somebody's consent is missing or does not hold.
    """
    if not (live.record or live.output or live.monitor):
        raise WrongUse("live", "has nowhere to go", "give --output DEVICE, --monitor or --record")
    if live.source is not None:
        regular_file(live.source)
    target = find_target(speaker, store or speaker_store())
    options = options or ConvertOptions()
    settings = target.settings | {"seed": seed, "live": True} | asdict(options)
    story = Story("voice", target.people, live.source, settings)
    where = resolve_device(device)
    folder = LIVE_WEIGHTS if live.low_latency else WEIGHTS
    networks = Networks.load(where, folder, vocoder=LIVE_WEIGHTS)
    rate = networks.spectrogram.config.sample_rate
    voice = target.voice(reporter, where)
    if live.low_latency:
        voice = live_voice(voice)
    voice.decoder.to(networks.device)
    stream = VoiceStream(networks, voice, options, seed=seed)
    bar = (reporter or Silent()).stage("live", live.seconds or None)
    with ExitStack() as stack:
        making = record = None
        if live.record:
            making = stack.enter_context(marked_output(live.record, story, force=force))
            record = stack.enter_context(
                AudioWriter(making.path, sample_rate=rate, channels=1, marking=making.watermark)
            )
        mark = making.watermark if making else Watermark.of(story)
        players = [
            stack.enter_context(_Player(name, live, rate, mark))
            for name in ([live.output] if live.output else []) + ([None] if live.monitor else [])
        ]
        ears: _File | _Microphone
        if live.source:
            ears = stack.enter_context(_File(live, rate))
        else:
            ears = stack.enter_context(_Microphone(live, rate))
        latency = stream.latency + live.chunk + sum(p.latency for p in players[:1])
        bar.advance(0, f"{latency * 1000:.0f} ms behind; Ctrl-C ends it")
        samples = 0
        for sound in _converted(stream, ears, live, rate):
            samples += len(sound)
            bar.advance(len(sound) / rate)
            if record:
                record.write(sound[None])
            if not all(player.play(sound) for player in players):
                break
    warnings = list(making.warnings) if making else []
    gaps = sum(player.gaps for player in players)
    if ears.lost:
        warnings.append(f"{ears.lost} chunks came too fast; try a longer --chunk")
    gone = next((device.gone for device in [ears, *players] if device.gone), "")
    if gone:
        kept = "; what was said until then is recorded" if live.record else ""
        warnings.append(f"device {gone} went away{kept}; see voicefake live --devices")
    return LiveReport(
        samples / rate, round(latency, 4), ears.lost, gaps, live.record, tuple(warnings), gone
    )


def _converted(
    stream: VoiceStream, ears: _File | _Microphone, live: LiveOptions, rate: int
) -> Iterator[Samples]:
    heard = 0
    try:
        for block in ears.blocks():
            heard += len(block)
            sound = stream.push(block)
            if len(sound):
                yield sound
            if live.seconds and heard >= live.seconds * rate:
                break
    except KeyboardInterrupt:  # the way to end it: what was said is still given out
        pass
    yield stream.finish()


class _File:
    """A file that stands for the microphone."""

    lost, gone = 0, ""

    def __init__(self, live: LiveOptions, rate: int) -> None:
        assert live.source is not None
        self._reader = AudioReader(live.source, sample_rate=rate, mono=True)
        self._size = max(1, round(live.chunk * rate))

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held open."""

    def blocks(self) -> Iterator[Samples]:
        """The sound (n,), chunk by chunk."""
        return (block[0] for block in self._reader.chunks(self._size))


class _Microphone:
    """A device that is listened to, at its own rate."""

    def __init__(self, live: LiveOptions, rate: int) -> None:
        sounddevice = sound_devices()
        self._waiting: queue.Queue[Samples] = queue.Queue(_MOST_WAITING)
        self._name, self._patience = live.microphone or "default", _SILENCE + 5 * live.chunk
        self.lost, self.gone = 0, ""
        own, channels = _format_of(live.microphone, "input")
        self._resampler = Resampler(own, rate, 1)
        with _told(live.microphone):
            self._stream = sounddevice.InputStream(
                device=_numbered(live.microphone), samplerate=own, channels=channels,
                dtype="float32",
                blocksize=round(live.chunk * own), callback=self._hear,
            )  # fmt: skip

    def __enter__(self) -> _Microphone:
        self._stream.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(sound_devices().PortAudioError):  # it is gone
            self._stream.close()

    def _hear(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        try:
            self._waiting.put_nowait(block.mean(axis=1, dtype=np.float32)[None])
        except queue.Full:
            self.lost += 1

    def blocks(self) -> Iterator[Samples]:
        """The sound (n,) at the networks' rate, chunk by chunk."""
        while True:
            try:
                block = self._waiting.get(timeout=self._patience)
            except queue.Empty:
                self.gone = self._name
                return
            yield self._resampler.push(block)[0]


class _Player:
    """A device that plays the marked result."""

    def __init__(self, name: str | None, live: LiveOptions, rate: int, mark: Watermark) -> None:
        sounddevice = sound_devices()
        own, self._channels = _format_of(name, "output")
        self._resampler, self._marker = Resampler(rate, own, 1), mark.sound(rate, 1)
        self._name, self._begun, self.gaps, self.gone = name or "default", False, 0, ""
        with _told(name):
            self._stream = sounddevice.OutputStream(
                device=_numbered(name),
                samplerate=own,
                channels=self._channels,
                dtype="float32",
                latency=_HELD * live.chunk,
            )

    @property
    def latency(self) -> float:
        """Of the device, in seconds."""
        return float(self._stream.latency)

    def __enter__(self) -> _Player:
        self._stream.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(sound_devices().PortAudioError):  # it is gone
            self._stream.close()

    def play(self, sound: Samples) -> bool:
        """Play ``sound`` (n,); waits while the device has enough. False: it is gone."""
        block = self._resampler.push(self._marker.push(sound[None]))
        both = np.ascontiguousarray(np.repeat(block.T, self._channels, axis=1))
        try:
            ran_dry = self._stream.write(both)
        except sound_devices().PortAudioError:
            self.gone = self._name
            return False
        if self._begun and ran_dry:
            self.gaps += 1
        self._begun = True
        return True


def list_devices() -> list[dict[str, Any]]:
    """The sound devices: number, name, inputs, outputs, rate in Hz.

    Raises:
        WrongUse: sounddevice or PortAudio is missing.
    """
    return [
        {
            "number": number,
            "name": entry["name"],
            "inputs": entry["max_input_channels"],
            "outputs": entry["max_output_channels"],
            "rate": int(entry["default_samplerate"]),
        }
        for number, entry in enumerate(sound_devices().query_devices())
    ]


def sound_devices() -> Any:
    """The module ``sounddevice``.

    Raises:
        WrongUse: it, or the PortAudio library that it needs, is not installed.
    """
    try:
        import sounddevice
    except ImportError as error:
        remedy = "pip install 'voicefake[live]', or give a file with --input"
        raise WrongUse("live", "needs the package sounddevice", remedy) from error
    except OSError as error:
        remedy = "install it (Debian, Ubuntu: apt install libportaudio2)"
        raise WrongUse("live", "needs the PortAudio library", remedy) from error
    return sounddevice


@contextmanager
def _told(name: str | None) -> Iterator[None]:
    """Turns what PortAudio says of a device into an error of ours."""
    try:
        yield
    except (sound_devices().PortAudioError, ValueError) as error:
        fault = f"cannot be used ({error})"
        remedy = "choose one of: voicefake live --devices"
        raise WrongUse(f"device {name or 'default'}", fault, remedy) from error


def _format_of(name: str | None, kind: str) -> tuple[int, int]:
    """A device's own rate in Hz, and how many of its channels to use."""
    with _told(name):
        found = sound_devices().query_devices(_numbered(name), kind)
    return int(found["default_samplerate"]), min(_CHANNELS, int(found[f"max_{kind}_channels"]))


def _numbered(name: str | None) -> int | str | None:
    return int(name) if name is not None and name.isdigit() else name
