"""Fuzzing of everything that reads a file: mutated inputs, packs, settings and results.

    make fuzz                                        # every target, 5 minutes in all
    cd tests && python -m fuzz --minutes 60 csv warc # some targets, longer

A target may end in a result or in a `DedupError`. Anything else is a finding: another exception, a
panic, a killed process, a call that takes longer than a minute. The input of a finding is kept
in `found/<target>/`, and `test_fuzz.py` replays all that are there.
"""
