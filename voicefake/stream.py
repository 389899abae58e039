"""Conversion of sound as it comes: chunks in, chunks out, the same sound however it is cut.

What a file's conversion knows of the whole recording (level, means, range of the melody) is
here known of the past alone, and taken for the usual where there is little of it. Every network
says how far it looks; each stage keeps that much of what went before and waits for that much of
what is to come, so that the result is that of all the sound at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from voicefake.engine import Networks, noise_at, soft_limited, spoken
from voicefake.features import LOG_FLOOR, PAUSE_SHARE, pauses
from voicefake.options import ConvertOptions
from voicefake.recogniser import SIZE
from voicefake.retrieval import MatchingSet, matched
from voicefake.running import (
    HEARD,
    HEARD_AHEAD,
    HeardFrames,
    Levels,
    MelodyMean,
    PitchFrames,
    RunningMean,
)
from voicefake.voices import Voice

_REMEMBERED = 3000
"""Frames after which a running mean begins to forget: half a minute of speech."""

_DECODER_AHEAD = 6
"""Frames to come after which a decoder that looks further misses little."""

USUAL_MEL, USUAL_CONTENT = 25, 150
"""Frames for as many as the usual means count: recordings differ more in their mel."""


@dataclass(frozen=True)
class Blocks:
    """Ends of the sound at which a function that looks far ahead is asked all the same.

    Where the newest frame stands for most of those to come, little is lost, as long as some
    have been seen. Which ones must not depend on how the sound is cut into chunks.

    Attributes:
        first: frames of the input until the first end.
        size: from one end to the next.
        missing: frames to come for which the newest one stands.
    """

    first: int
    size: int
    missing: int


class Overlapped:
    """A function of frames that looks at its neighbours, applied to a stream of them.

    Args:
        function: of (1, C, n) and the place of its first frame, to (1, D, m); what it makes of
            a frame may depend on ``past`` frames before and ``ahead`` frames after it.
        unit: columns of the input to a frame.
        scale: columns of the output to a frame.
        past: frames.
        ahead: columns of the input.
        early: columns of the output that are done before the frame to which they belong.
        blocks: where the function looks further ahead than that.
    """

    def __init__(
        self,
        function: Callable[[Tensor, int], Tensor],
        past: int,
        ahead: int,
        *,
        unit: int = 1,
        scale: int = 1,
        early: int = 0,
        blocks: Blocks | None = None,
    ) -> None:
        self._function, self._past, self._ahead = function, past, ahead
        self._unit, self._scale, self._early = unit, scale, early
        self._blocks, self._stop = blocks, blocks.first if blocks else 0
        self._held: Tensor | None = None
        self._first = self._done = 0

    def push(self, x: Tensor | None, *, last: bool) -> Tensor | None:
        """What ``x`` (1, C, n) adds to the output, if anything; ``last`` gives the rest."""
        parts = [part for part in (self._held, x) if part is not None]
        if not parts:
            return None
        self._held = torch.cat(parts, -1)
        made = [self._until(stop) for stop in self._stops(last=last)]
        if last:
            given = self._done - self._first * self._scale
            made.append(self._function(self._held, self._first)[..., given:])
        pieces = [piece for piece in made if piece is not None]
        return torch.cat(pieces, -1) if pieces else None

    def _stops(self, *, last: bool) -> Sequence[int]:
        """Columns of the input at which the function is to be asked."""
        assert self._held is not None
        end = self._first * self._unit + self._held.shape[-1]
        if self._blocks is None:
            return [] if last else [end]
        stops = range(self._stop, end + 1, self._blocks.size)
        self._stop += len(stops) * self._blocks.size
        return stops

    def _until(self, stop: int) -> Tensor | None:
        """What can be made of the input's first ``stop`` columns and was not yet given."""
        assert self._held is not None
        origin = self._first * self._scale
        held = self._held[..., : stop - self._first * self._unit]
        frames = self._first + (held.shape[-1] - self._ahead) // self._unit
        ready = frames * self._scale + self._early
        if frames < 0 or ready <= self._done:
            return None
        if self._blocks is not None:
            held = nn.functional.pad(held, (0, self._blocks.missing), "replicate")
        made = self._function(held, self._first)[..., self._done - origin : ready - origin]
        forget = max(0, ready // self._scale - self._past - self._first)
        self._held = self._held[..., forget * self._unit :]
        self._first, self._done = self._first + forget, ready
        return made


class VoiceStream:
    """Turns the sound of whoever speaks into the voice, chunk by chunk, at the networks' rate.

    The result has the length of what went in, at the level that the networks know; whichever
    way the sound is cut into chunks, it is the same but for rounding. Short chunks cost more:
    with each, the networks go through what they look at again.

    Args:
        options: of these, pitch, formants, protection, retrieval, rounds and gain are heeded.
        seed: of the vocoder's noise.

    Attributes:
        latency: seconds by which the result is later than the sound, the chunk's own length
            not counted.
    """

    def __init__(
        self,
        networks: Networks,
        voice: Voice,
        options: ConvertOptions | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.networks, self.voice, self.options = networks, voice, options or ConvertOptions()
        self.seed = seed
        self._config = c = networks.spectrogram.config
        self._samples, self._ended = 0, False
        self._later = min(networks.encoder.context.ahead, HEARD_AHEAD)
        self._levels, self._pitch = Levels(_REMEMBERED), PitchFrames(c, self._later)
        self._hearing = self._ears() if networks.encoder.config.look_ahead is None else None
        mel, content = self._usual()
        self._means = {
            "mel": RunningMean(_REMEMBERED, PAUSE_SHARE, mel, USUAL_MEL),
            "content": RunningMean(_REMEMBERED, PAUSE_SHARE, content, USUAL_CONTENT),
        }
        self._melody = MelodyMean(_REMEMBERED)
        self._matching: MatchingSet | None = None
        if self._hearing and voice.content is not None and self.options.retrieval:
            self._matching = MatchingSet.of(voice.content, networks.encoder)
        self._waiting: Tensor | None = None
        self._turning: tuple[float, float] | None = None
        self._stages()

    def _ears(self) -> HeardFrames | None:
        """The recogniser, for a decoder that makes use of it."""
        wanted = self.voice.decoder.decoder.config.recogniser
        return HeardFrames(self.networks.recogniser, self._config) if wanted else None

    def _usual(self) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """Means that stand for those of a recording of which little was heard."""
        usual = self.networks.usual
        if usual is None:
            return None, None
        size = self.networks.encoder.config.latent + (SIZE if self._hearing else 0)
        return usual.mel, usual.content[:, :size]

    def _stages(self) -> None:
        n, c = self.networks, self._config
        edge = -(-c.n_fft // 2 // c.hop_length)
        around = c.n_fft // 2 - c.hop_length + 1
        encoder, decoder = n.encoder.context, self.voice.decoder.decoder.context
        vocoder = n.vocoder.context(n.rounds(self.voice, self.options.rounds))
        far = encoder.ahead > self._later
        soon = min(decoder.ahead, _DECODER_AHEAD) if far else decoder.ahead
        self._listening = Overlapped(self._listen, edge, around, unit=c.hop_length)
        self._encoding = Overlapped(
            self._encode, encoder.past, self._later,
            blocks=Blocks(HEARD + self._later, HEARD, encoder.ahead - self._later) if far else None,
        )  # fmt: skip
        self._decoding = Overlapped(
            self._decode, decoder.past, soon,
            blocks=Blocks(HEARD, HEARD, decoder.ahead - soon) if far else None,
        )  # fmt: skip
        early = -n.vocoder.onset % c.hop_length  # which is no whole number of frames
        self._speaking = Overlapped(
            self._speak, vocoder.past, vocoder.ahead, scale=c.hop_length, early=early
        )
        frames = self._later + (HEARD - 1 if far or self._hearing else 0) + soon + vocoder.ahead
        self.latency = (c.n_fft // 2 + 1 + frames * c.hop_length - early) / c.sample_rate

    def push(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """What mono ``audio`` (n,) adds to the result; may be empty."""
        return self._advance(audio, last=False)

    def finish(self) -> NDArray[np.float32]:
        """The rest of the result."""
        return self._advance(np.zeros(0, np.float32), last=True)

    @torch.inference_mode()
    def _advance(self, audio: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        self._samples, self._ended = self._samples + len(audio), last
        if self._samples == 0:
            return audio
        self._pitch.push(audio, last=last)
        if self._hearing:
            self._hearing.push(audio, last=last)
        heard = self._listening.push(torch.from_numpy(audio)[None, None], last=last)
        encoded = self._encoding.push(self._levelled(heard), last=last)
        decoded = self._decoding.push(self._placed(encoded), last=last)
        sound = self._speaking.push(self._phased(decoded), last=last)
        if sound is None:
            return np.zeros(0, np.float32)
        gain = np.float32(10 ** (self.options.gain / 20))
        return soft_limited(gain * sound[0, 0].numpy())

    def _listen(self, x: Tensor, first: int) -> Tensor:
        """Sound (1, 1, n) to mel, not yet logarithmic, and mean power (1, n_mels + 1, T)."""
        spectrogram = self.networks.spectrogram
        magnitude = spectrogram.stft(x[0]).abs()
        # without what lies below 40 Hz
        energy = 2 * magnitude[:, 2:].square().sum(1, keepdim=True)
        power = energy / (self._config.n_fft * spectrogram.window.square().sum())
        return torch.cat([spectrogram.bands @ magnitude, power], 1)

    def _levelled(self, x: Tensor | None) -> Tensor | None:
        """Log-mel at the level that the networks know, its mean, and where pauses are."""
        if x is None:
            return None
        gain = self._levels.push(x[0, -1])
        mel = (x[:, :-1] * gain).clamp_min(LOG_FLOOR).log()
        pause = pauses(mel)
        return torch.cat([mel, self._means["mel"].push(mel, pause[0]), pause.float()[None]], 1)

    def _encode(self, x: Tensor, first: int) -> Tensor:
        """Latent, log-mel, and where pauses are."""
        mel, mean, pause = x.split([self._config.n_mels, self._config.n_mels, 1], 1)
        return torch.cat([self.networks.encoder(mel, mean), mel, pause], 1)

    def _placed(self, x: Tensor | None) -> Tensor | None:
        """Content without its mean, log-mel, and the melody where the voice has it."""
        parts = [part for part in (self._waiting, x) if part is not None]
        if not parts:
            return None
        x = torch.cat(parts, -1)
        ready = min(x.shape[-1], self._hearing.ready) if self._hearing else x.shape[-1]
        x, self._waiting = x[..., :ready], x[..., ready:]
        if ready == 0:
            return None
        pitch = self._pitch.take(ready)[None]
        latent, mel, pause = x.split(
            [x.shape[1] - self._config.n_mels - 1, self._config.n_mels, 1], 1
        )
        content = torch.cat([latent, self._hearing.take(ready)], 1) if self._hearing else latent
        content = content - self._means["content"].push(content, pause[0, 0])
        log_f0, voicing = pitch[:, :1].log(), pitch[:, 1:]
        own = self._melody.push(log_f0[0, 0], voicing[0, 0] > 0.5)
        if self.options.auto_pitch:
            log_f0 = log_f0 - own + self.voice.log_f0[0]
        f0 = (log_f0.exp() * 2 ** (self.options.semitones / 12)).clamp(50.0, 1000.0)
        return torch.cat([self._as_said(content), mel, f0, voicing], 1)

    def _as_said(self, content: Tensor) -> Tensor:
        """All of the content that the decoder knows (1, content, n), nearer to the voice's own."""
        if self._matching is not None:
            share = self.options.retrieval
            return matched(content, self._matching, self.networks.encoder, share)
        # near the present there is no recogniser: the decoder has learned to do without
        config = self.voice.decoder.decoder.config
        missing = config.latent + config.recogniser - content.shape[1]
        return nn.functional.pad(content, (0, 0, 0, missing))

    def _decode(self, x: Tensor, first: int) -> Tensor:
        """The voice's log-mel and melody."""
        sizes = [x.shape[1] - self._config.n_mels - 2, self._config.n_mels, 1, 1]
        content, mel, f0, voicing = x.split(sizes, 1)
        melody = f0[:, 0], voicing[:, 0]
        said = spoken(self.networks, self.voice, self.options, mel, content, *melody)
        return torch.cat([said, f0, voicing], 1)

    def _phased(self, x: Tensor | None) -> Tensor | None:
        """The same with the phase of the pulses at each frame, in cycles."""
        if x is None or x.shape[-1] == 0:
            return None
        f0 = x[0, -2]
        if self._turning is not None:
            f0 = torch.cat([f0.new_tensor([self._turning[0]]), f0])
        phase = self.networks.vocoder.source.advance(f0)
        if self._turning is not None:
            phase = phase[1:] + self._turning[1]
        self._turning = float(f0[-1]), float(phase[-1])
        return torch.cat([x, (phase % 1).float()[None, None]], 1)

    def _speak(self, x: Tensor, first: int) -> Tensor:
        """Sound (1, 1, m) of the frames."""
        mel, f0, voicing, phase = x.split([self._config.n_mels, 1, 1, 1], 1)
        start = first * self._config.hop_length
        length = self._samples - start if self._ended else x.shape[-1] * self._config.hop_length
        sound = self.networks.vocoder(
            mel, f0[:, 0], voicing[:, 0], length=length, phase=phase[:, 0, 0],
            noise=noise_at(start, length + self._config.n_fft, self.seed),
            rounds=self.networks.rounds(self.voice, self.options.rounds),
        )  # fmt: skip
        return sound[:, None]
