from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesync.models.network import FaceNetwork, NetworkConfig
from recipes.fuzz.targets import TARGETS
from voicefake.common.errors import BadInput
from voicefake.common.modelfile import ModelFile, rebuild


@pytest.mark.parametrize("name", TARGETS)
def test_good_input_is_taken(name: str, tmp_path) -> None:
    target = TARGETS[name]
    for seed in target.seeds():
        assert target.try_bytes(tmp_path, seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    which=st.integers(0, 10**6),
    at=st.integers(0, 10**6),
    cut=st.integers(0, 12),
    patch=st.binary(max_size=12),
)
def test_changed_input_ends_in_an_error_of_ours(name, tmp_path, which, at, cut, patch) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    seed = seeds[which % len(seeds)]
    at %= len(seed)
    target.try_bytes(tmp_path, seed[:at] + patch + seed[at + cut :])


@pytest.mark.parametrize(
    "config",
    [
        {"people": 10**9},
        {"side": 0},
        {"encoder": [32] * 300},
        {"latent": -1},
        {"latent": "many"},
        {"identity": 63},
        {"decoder": []},
    ],
)
def test_a_config_that_does_not_fit_its_file_costs_no_memory(config, tmp_path) -> None:
    held = FaceNetwork(NetworkConfig())
    model = ModelFile("face-identity", {}, dict(held.state_dict()))
    with pytest.raises(BadInput, match=r"config"):
        rebuild(model, tmp_path, lambda: FaceNetwork(NetworkConfig.from_json(config)))
    assert rebuild(model, tmp_path, lambda: FaceNetwork(NetworkConfig()))
