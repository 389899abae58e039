"""Teaching the content encoder: phones, a recogniser's features, and not the speaker."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from voicefake.common.fit import Losses
from voicefake.features import MelSpectrogram
from voicefake.models.encoder import ContentEncoder
from voicefake.models.layers import ConvNeXtBlock
from voicefake.training.data import Corpus, Recording, balanced_weights, draw_windows
from voicefake.training.perturb import perturb


class _Reverse(torch.autograd.Function):
    """Identity whose gradient is turned round (Ganin et al., 2016)."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> Tensor:
        return -grads[0]


class SpeakerProbe(nn.Module):
    """Guesses who speaks from a content latent (B, latent, T) -> logits (B, speakers)."""

    def __init__(self, latent: int, speakers: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(latent, 128, 5, padding=2)
        self.block = ConvNeXtBlock(128, 256)
        self.leave = nn.Linear(256, speakers)

    def forward(self, latent: Tensor) -> Tensor:
        """See the class."""
        x = self.block(self.enter(latent))
        return self.leave(torch.cat([x.mean(-1), x.std(-1)], 1))


class EncoderWithProbe(nn.Module):
    """What the optimiser sees: encoder and the probe that it is trained to deceive."""

    def __init__(self, encoder: ContentEncoder, speakers: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.probe = SpeakerProbe(encoder.config.latent, speakers)


class EncoderTask:
    """Phone cross-entropy + distance to the teacher's features + reversed speaker loss."""

    adversary: nn.Module | None = None
    frames = 128
    batch = 16

    def __init__(
        self, encoder: ContentEncoder, corpus: Corpus, reverse_weight: float = 0.1
    ) -> None:
        train = corpus.part(held_out=False)
        self.speakers = {name: i for i, name in enumerate(sorted({r.speaker for r in train}))}
        self.generator: nn.Module = EncoderWithProbe(encoder, len(self.speakers))
        self.reverse_weight = reverse_weight
        self.corpus, self.train, self.judged = corpus, train, corpus.part(held_out=True)
        self.weights = balanced_weights(train, self.frames)
        self.teacher, self.phones = corpus.array("heard")[0], corpus.array("phones")
        self.means = dict(zip([r.path for r in corpus.recordings], corpus.mel_means(), strict=True))
        self.centres = MelSpectrogram().centres

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch; perturbation and deception are ramped in over the first fifth."""
        ramp = min(1.0, progress * 5)
        windows = draw_windows(self.train, self.weights, self.batch, self.frames, random)
        speed = int(torch.randint(0, 3, (1,), generator=random))
        mel = windows.cut(self.corpus.mels[speed])
        mean = torch.stack([self.means[r.path][speed] for r in windows.recordings])[..., None]
        # the mean travels as one more frame, so that it is changed in the same way
        changed = perturb(torch.cat([mel, mean], -1), self.centres, ramp, random)
        mel, mean = changed[..., :-1], changed[..., -1:]
        task: EncoderWithProbe = self.generator  # type: ignore[assignment]
        latent = task.encoder(mel, mean)
        phone, teacher = self._content_losses(
            task.encoder, latent, windows.cut(self.phones, 0), windows.cut(self.teacher)
        )
        who = torch.tensor([self.speakers[r.speaker] for r in windows.recordings])
        deceived = _Reverse.apply(latent)  # type: ignore[no-untyped-call]
        speaker = nn.functional.cross_entropy(task.probe(deceived).float(), who)
        loss = phone + teacher + self.reverse_weight * ramp * speaker
        return Losses(
            loss,
            parts={
                "phone": phone.detach(),
                "teacher": teacher.detach(),
                "speaker": speaker.detach(),
            },
        )

    def _content_losses(
        self, encoder: ContentEncoder, latent: Tensor, phones: Tensor, teacher: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy against (B, T, phones), and 1 - cosine to the teacher's (B, 288, T)."""
        logits = encoder.phone_head(latent).float().transpose(1, 2)
        phone = -(phones * logits.log_softmax(-1)).sum(-1).mean()
        guess = encoder.teacher_head(latent).float()
        distance = (1 - nn.functional.cosine_similarity(guess, teacher, dim=1)).mean()
        return phone, distance

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """On speakers and clips never trained on: 1 - cosine + cross-entropy, and their parts."""
        encoder: ContentEncoder = generator.encoder  # type: ignore[assignment]
        phone = teacher = right = frames = 0.0
        for recording in self.judged[::4]:
            mel, target, cosine_target = self._whole(recording)
            latent = encoder(mel, mel.mean(-1, keepdim=True))
            p, t = self._content_losses(encoder, latent, target, cosine_target)
            n = recording.frames
            hits = encoder.phone_head(latent)[0].argmax(0) == target[0].argmax(-1)
            phone, teacher = phone + float(p) * n, teacher + float(t) * n
            right, frames = right + float(hits.sum()), frames + n
        return {
            "loss": (phone + teacher) / frames,
            "phone accuracy": right / frames,
            "teacher cosine": 1 - teacher / frames,
        }

    def _whole(self, recording: Recording) -> tuple[Tensor, Tensor, Tensor]:
        span = recording.span
        return tuple(  # type: ignore[return-value]
            torch.from_numpy(a.astype("float32"))[None]
            for a in (self.corpus.mels[0][:, span], self.phones[span], self.teacher[:, span])
        )
