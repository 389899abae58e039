# %% [markdown]
# # One clip, another voice and another face
# Run it as a notebook (every editor that knows `# %%` does) or as a program:
# `python recipes/examples/one_clip.py [FOLDER] [CLIP]`.

# %%
import sys
from pathlib import Path

from recipes import run_recipe
from recipes.sample import CLIP
from voicefake import verify

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-one-clip")
clip = Path(sys.argv[2]) if len(sys.argv) > 2 else CLIP

# %% [markdown]
# A recipe is a list of steps; `swap` has two: the voice, then the face. `voicefake recipe show
# swap` draws it. Its settings are those of `--set`.

# %%
report = run_recipe(
    "swap",
    {"video": clip, "voice": "nobody-m", "face": "nobody-b"},
    folder / "swapped.mp4",
    force=True,
)
for step in report.steps:
    print(f"{step.name}: {step.did}, {step.seconds:.1f} s")
    print("   ", {name: value for name, value in step.figures.items() if value})

# %% [markdown]
# Every result says what it is; a stranger can ask it.

# %%
found = verify(report.output)
print("ours:", found.ours)
for mark in found.marks:
    print(f"  {mark.kind}: {mark.state}")

# %% [markdown]
# The voice alone, put back under pictures that are copied as they are:

# %%
voice = run_recipe("voice-in-video", {"video": clip}, folder / "voice.mp4", force=True)
print(voice.output)
