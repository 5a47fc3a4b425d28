"""One provider's run that is led by the lines it reaches: a process of its own, ended by libFuzzer.

python -m tests.intake.fuzzing.guided PROVIDER FINDINGS FOLDER [options of libFuzzer...]
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

# Before anything of the service is imported: what is imported outside is not seen.
with atheris.instrument_imports(include=["app.intake", "app.domain"]):
    from tests.intake.fuzzing.findings import Findings
    from tests.intake.fuzzing.inputs import packed, seeds_of
    from tests.intake.fuzzing.mutations import mutated


def _mutated(data: bytes, most: int, seed: int) -> bytes:
    return mutated(data, random.Random(seed), lambda part: atheris.Mutate(part, most))[:most]


def main() -> None:
    """Fuzz until libFuzzer's options end it."""
    name, findings, folder, *options = sys.argv[1:]
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(seeds_of(name)):
        (corpus / f"sample-{place}").write_bytes(packed(place, seed.request))
    found = Findings(name, Path(findings))

    def tried(data: bytes) -> None:
        found.tried(data)

    atheris.Setup([sys.argv[0], *options, folder], tried, custom_mutator=_mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
