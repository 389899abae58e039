"""Networks as ONNX files give what torch gives."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from recipes.export.graphs import network_graphs
from recipes.export.onnx_files import TOLERANCE, export_onnx, open_session, write_graph
from voicefake.common.errors import Refused, WrongUse
from voicefake.models.decoder import DecoderConfig, PersonDecoder, SpeakerDecoder
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.models.vocoder import Vocoder, VocoderConfig
from voicefake.speakers import speaker_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("onnx")
    export_onnx(place, voice="kathleen", face="nobody-a")
    return place


@pytest.mark.slow
def test_all_networks_are_written_and_described(folder):
    told = json.loads((folder / "export.json").read_text())
    names = [graph["file"] for graph in told["graphs"]]
    assert names == [
        "voice-encoder.onnx", "voice-decoder-kathleen.onnx", "voice-vocoder.onnx",
        "live-encoder.onnx", "live-decoder-kathleen.onnx", "live-vocoder.onnx",
        "face-encoder-nobody-a.onnx", "face-decoder-nobody-a.onnx",
    ]  # fmt: skip
    assert all(graph["difference"] <= TOLERANCE for graph in told["graphs"])
    assert all(len(graph["consent_sha256"]) == 64 for graph in told["graphs"] if graph["person"])
    model = onnx.load(str(folder / "voice-decoder-kathleen.onnx"))
    props = {entry.key: entry.value for entry in model.metadata_props}
    assert props["person"] == "kathleen" and props["consent_sha256"]


@pytest.mark.slow
def test_speech_through_onnx_is_the_speech_of_torch(folder):
    """The whole way: only features, iSTFT and rounds of consistency stay outside the graphs."""
    from voicefake.features import MelSpectrogram
    from voicefake.models.decoder import Melody, loudness_of
    from voicefake.networks import load_encoder, load_vocoder
    from voicefake.voices import load_voice

    spectrogram, vocoder = MelSpectrogram(), load_vocoder()
    decoder = load_voice(speaker_store().find("kathleen")).decoder
    config = decoder.decoder.config
    time = torch.arange(24_000) / 24_000
    audio = 0.3 * torch.sin(2 * torch.pi * (150 + 40 * time) * time)[None]
    mel = spectrogram(audio)
    f0, voicing = torch.full((1, mel.shape[-1]), 180.0), torch.ones(1, mel.shape[-1])
    melody, loudness = Melody(spectrogram)(f0, voicing), loudness_of(mel)
    noise = torch.randn(1, 24_000 + 1024, generator=torch.Generator().manual_seed(0))
    phase = torch.zeros(1)

    def spoken(encode, decode, shape) -> np.ndarray:
        vocoder.shaping = shape
        with torch.inference_mode():
            latent = encode(mel, mel.mean(-1, keepdim=True))
            heard = torch.zeros(1, config.recogniser, mel.shape[-1])
            content = torch.cat([latent - latent.mean(-1, keepdim=True), heard], 1)
            made = decode(content, melody, loudness)
            sound = vocoder(made, f0, voicing, length=24_000, phase=phase, noise=noise, rounds=2)
        return sound.numpy()

    def through(name):
        session = open_session(folder / f"{name}.onnx")
        names = [item.name for item in session.get_inputs()]

        def run(*tensors):
            given = dict(zip(names, (tensor.numpy() for tensor in tensors), strict=True))
            out = [torch.from_numpy(array) for array in session.run(None, given)]
            return out[0] if len(out) == 1 else tuple(out)

        return run

    torch_way = spoken(load_encoder(), decoder, vocoder.shaping)
    onnx_way = spoken(
        through("voice-encoder"), through("voice-decoder-kathleen"), through("voice-vocoder")
    )
    assert np.abs(torch_way).max() > 0.01
    assert np.abs(onnx_way - torch_way).max() < 1e-3 * np.abs(torch_way).max()


def test_what_cannot_be_exported_is_told(tmp_path, monkeypatch):
    with pytest.raises(WrongUse, match="missing"):
        export_onnx(tmp_path)
    with pytest.raises(WrongUse, match="did you mean kathleen"):
        export_onnx(tmp_path, voice="kathlen")

    def refuses(self, *_):
        raise Refused("kathleen", "was revoked", "choose another")

    monkeypatch.setattr("voicefake.common.profiles.Profile.require_use", refuses)
    with pytest.raises(Refused):
        export_onnx(tmp_path, voice="kathleen")
    assert not list(tmp_path.iterdir())


def test_low_latency_networks_are_written_too(tmp_path):
    """Causal stacks, whose frames come later than they are heard."""
    speaker = SpeakerDecoder(DecoderConfig(look_ahead=2))
    networks = (
        ContentEncoder(EncoderConfig(look_ahead=2)),
        PersonDecoder(speaker, torch.randn(speaker.config.speaker)),
        Vocoder(VocoderConfig(look_ahead=2, rounds=0)),
    )
    profile = speaker_store().find("nobody-m")
    for graph in network_graphs("live", *networks, profile):
        graph.module.eval()
        told = write_graph(graph, tmp_path / f"{graph.name}.onnx", force=False)
        assert told.file.startswith("live-") and told.difference <= TOLERANCE
