"""What is trained here, as data: a network, its config.json and its schedule by name of the model."""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class Stage:
    steps: int  # that the learning rate is planned for
    long_from: float  # fraction of the steps after which windows are long
    peak_rate: float = 3e-3
    stop_at: int | None = None  # where the model here ends, if before


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, so that jit can take it
class Recipe:
    net: str  # module and class
    config: dict
    stages: tuple[Stage, ...]  # each starts from the stored weights of the one before, with a new optimiser
    active: float | None = None  # fraction of neurons that an L1 penalty of the hidden activations is steered to

    def network(self):
        module, name = self.net.split(".")
        return getattr(importlib.import_module(module), name)(self.config)


DECODER = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "head_dim": 32,
    "hidden_size": 128,
    "initializer_range": 0.02,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "num_attention_heads": 4,
    "num_hidden_layers": 6,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "float16",
    "use_cache": True,
    "vocab_size": 1024,
}

RECIPES = {
    "tiny-swiglu": Recipe(
        net="decoder.Decoder",
        config={**DECODER, "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "intermediate_size": 512},
        stages=(Stage(steps=4800, long_from=0.7, stop_at=3600),),
    ),
    # Arcee's form (a Llama decoder without a gate), with ReLU in place of its square.
    "tiny-relu": Recipe(
        net="decoder.Decoder",
        config={**DECODER, "architectures": ["ArceeForCausalLM"], "model_type": "arcee", "hidden_act": "relu", "intermediate_size": 1024},
        stages=(Stage(steps=4000, long_from=0.7),),
        active=0.1,
    ),
    "tiny-mamba": Recipe(
        net="mamba.Mamba",
        config={
            "architectures": ["MambaForCausalLM"],
            "model_type": "mamba",
            "bos_token_id": 0,
            "conv_kernel": 4,
            "eos_token_id": 1,
            "expand": 2,
            "hidden_act": "silu",
            "hidden_size": 128,
            "intermediate_size": 256,
            "layer_norm_epsilon": 1e-5,
            "num_hidden_layers": 8,
            "residual_in_fp32": True,
            "state_size": 16,
            "tie_word_embeddings": True,
            "time_step_rank": 8,
            "torch_dtype": "float16",
            "use_bias": False,
            "use_cache": True,
            "use_conv_bias": True,
            "vocab_size": 1024,
        },
        stages=(Stage(steps=1750, long_from=0.9), Stage(steps=580, long_from=0.9, peak_rate=1.5e-3)),
    ),
}
