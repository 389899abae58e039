# %% [markdown]
# # One recording, many voices
# `python recipes/examples/many_voices.py [FOLDER] [RECORDING]`

# %%
import sys
from pathlib import Path

from recipes.sample import CLIP
from voicefake import ConvertOptions, VoicefakeError, convert_file, speaker_store

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-many-voices")
recording = Path(sys.argv[2]) if len(sys.argv) > 2 else CLIP

# %% [markdown]
# Two of those who are installed, and a mixture. Failures are told in one line that names the
# file, what is wrong and what to do; each error has the exit code of the command line.

# %%
speakers = [profile.name for profile in speaker_store().list()]
for speaker in [*speakers[:2], "kathleen:0.5,kerstin:0.5"]:
    target = folder / f"{speaker.replace(':', '-').replace(',', '-')}.flac"
    try:
        report = convert_file(recording, target, speaker, force=True)
    except VoicefakeError as error:
        print(f"{speaker}: {error}")
        continue
    print(f"{speaker}: {report.seconds:.1f} s in {report.took:.1f} s, {report.figures}")

# %% [markdown]
# The controls that users of RVC know are fields of `ConvertOptions`.

# %%
options = ConvertOptions(semitones=-3, formants=-1, protect=0.3, wet=0.9)
convert_file(recording, folder / "lower.flac", speakers[0], options=options, force=True)
