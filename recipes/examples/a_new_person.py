# %% [markdown]
# # A person of your own
# Trains a voice and a face, and exports both as files that another machine imports.
# `python recipes/examples/a_new_person.py [FOLDER] [RECORDINGS] [CLIPS] [MINUTES]`
#
# Without recordings it trains the person of the sample, who does not exist, for some steps
# only: enough to see how it goes, not enough to sound or look like them.

# %%
import sys
from pathlib import Path

import numpy as np

import facesync
from recipes.sample import CLIP
from voicefake import TrainOptions, require_consent, speaker_store, train_speaker
from voicefake.common.media import AudioWriter, read_audio

given = dict(enumerate(sys.argv))
folder = Path(given.get(1, "example-a-new-person"))
folder.mkdir(parents=True, exist_ok=True)
recordings, clips = Path(given.get(2, folder / "sample.wav")), Path(given.get(3, CLIP))
minutes = float(given.get(4, 0.05))

# %% [markdown]
# Four times the sample's sound, as training wants ten seconds at least.

# %%
if 2 not in given:
    sound, rate = read_audio(CLIP)
    with AudioWriter(recordings, sample_rate=rate, channels=1) as writer:
        writer.write(np.tile(sound, 4)[None])

# %% [markdown]
# A real person needs a consent record: pass `consent=Path("consent.toml")` in place of the
# reason, which is written into the model and into every output.

# %%
why = "the person of the sample does not exist"
voice = train_speaker(
    "somebody",
    [recordings],
    i_have_rights=why,
    options=TrainOptions(minutes=minutes, steps=2000),
    state=folder / "voice-training",
    force=True,
)
print(f"voice: {voice.seconds:.0f} s of speech, {voice.steps} steps, {voice.figures}")

# %%
face = facesync.train_identity(
    "somebody",
    [clips],
    require_consent(None, why, "face"),
    options=facesync.TrainOptions(steps=1500, minutes=minutes, stride=10),
    work=folder / "face-training",
    force=True,
)
print(f"face: {face.faces} pictures, {face.steps} steps")

# %%
for store, kind in ((speaker_store(), "voice"), (facesync.identity_store(), "face")):
    print(store.export("somebody", folder / f"somebody.{kind}.voicefake", force=True))
