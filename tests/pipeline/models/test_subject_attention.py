from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from foundation.arrays import F32
from pipeline.models.subject_attention import SubjectAttention, pad_sets, train_subject_attention
from pipeline.models.subject_losses import SubjectExamples
from pipeline.models.subject_sets import NO_SUBJECT, Sets
from pipeline.settings import AttentionStrategy, SubjectsParams
from servers.embedder.model import EmbedderModel

N_SUBJECTS, DIM = 12, 8
PARAMS = SubjectsParams(dim=DIM, max_steps=40, batch_size=128, n_negatives=32, n_pairs=32)


def to_served(model: SubjectAttention) -> EmbedderModel:
    return EmbedderModel(
        subjects=[str(idx) for idx in range(N_SUBJECTS)],
        embeddings=model.embeddings.detach().numpy(),
        attention_weight=model.attention_weight.detach().numpy(),
        attention_bias=model.attention_bias.detach().numpy(),
        mixing=None if model.mixing is None else model.mixing.detach().numpy(),
    )


def club_examples() -> SubjectExamples:
    """Subjects 0-5 and 6-11 are two clubs; books have two subjects of one, readers read their own club's."""
    rng = np.random.default_rng(0)
    clubs = np.arange(60) % 2
    item_subjects = np.stack([rng.permutation(6)[:2] + 6 * club for club in clubs])
    readers = np.arange(1000) % 2
    return SubjectExamples(
        item_subjects=torch.from_numpy(item_subjects),
        log_popularity=torch.from_numpy(np.zeros(60, dtype=np.float32)),
        user_subjects=torch.from_numpy(np.stack([rng.permutation(6)[:3] + 6 * club for club in readers])),
        user_authors=torch.full((1000, 1), NO_SUBJECT),
        item_idx=torch.from_numpy(2 * rng.integers(0, 30, 1000) + readers),
        ratings=torch.from_numpy(np.where(rng.random(1000) < 0.5, np.nan, 1.0).astype(np.float32)),
        pairs=torch.from_numpy(np.stack([np.arange(56), np.arange(56) + 4], axis=1)),
        n_subjects=N_SUBJECTS,
    )


def cosines_of(model: SubjectAttention) -> F32:
    singles = to_served(model).pool_sets(np.arange(N_SUBJECTS + 1), np.arange(N_SUBJECTS))
    return singles @ singles.T


@pytest.mark.parametrize("strategy", get_args(AttentionStrategy))
def test_what_is_served_equals_what_was_trained(strategy: AttentionStrategy) -> None:
    model = SubjectAttention(N_SUBJECTS, DIM, torch.Generator().manual_seed(1), strategy)
    for seed, parameter in enumerate(model.parameters()):
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(seed))
    sets = [[0], [3, 1, 7], [11, 2], [4, 5, 6, 8]]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in sets])]).astype(np.int64)
    flat = np.concatenate(sets).astype(np.int64)

    trained = model.pool(torch.from_numpy(pad_sets(Sets(offsets, flat), width=5))).detach().numpy()

    np.testing.assert_allclose(to_served(model).pool_sets(offsets, flat), trained, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        *({"strategy": strategy} for strategy in get_args(AttentionStrategy)),
        {"ranking_weight": 0, "contrastive_weight": 1},
        {"ranking_weight": 0, "contrastive_weight": 0, "co_occurrence_weight": 1},
    ],
)
def test_each_strategy_and_loss_brings_a_clubs_subjects_together(changes: dict[str, object]) -> None:
    params = SubjectsParams.model_validate({**PARAMS.model_dump(), **changes})

    model, _ = train_subject_attention(club_examples(), params=params, seed=1, advance=lambda share: None)

    cosines = cosines_of(model)
    same = (np.arange(12)[:, None] < 6) == (np.arange(12)[None, :] < 6)
    assert cosines[same].mean() > 0.4 > 0.1 > cosines[~same].mean()


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (
        train_subject_attention(club_examples(), params=PARAMS, seed=1, advance=lambda share: None)[0]
        for _ in range(2)
    )

    assert torch.equal(first.embeddings, second.embeddings)
    assert torch.equal(first.attention_weight, second.attention_weight)


def test_padding_cuts_long_sets_and_marks_what_is_missing() -> None:
    padded = pad_sets(Sets(np.array([0, 3, 3, 4]), np.array([5, 6, 7, 8])), width=2)

    assert padded.tolist() == [[5, 6], [NO_SUBJECT, NO_SUBJECT], [8, NO_SUBJECT]]


def test_only_what_was_drawn_with_its_books_counts_as_trained() -> None:
    examples = club_examples()
    unread = replace(examples, n_subjects=N_SUBJECTS + 1)  # nothing has the last one

    _, is_trained = train_subject_attention(unread, params=PARAMS, seed=1, advance=lambda share: None)

    assert is_trained.tolist() == [True] * N_SUBJECTS + [False]
