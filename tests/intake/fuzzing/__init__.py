"""Mutated requests through every adapter, towards lines that none has reached yet.

`inputs` what is mutated and how it is written as bytes; `mutations` how; `laws` what must hold of
any request; `blind` a run by chance alone; `guided` one that is led by the lines it reaches;
`python -m tests.intake.fuzzing` is `make fuzz`.
"""
