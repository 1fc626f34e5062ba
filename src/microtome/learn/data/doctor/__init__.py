"""The label doctor: what is wrong with labelled images, where it shows, why, and what to do.

- `facts`: one look at each pair, in worker processes; every file is decoded once. `raw`, `values`, `alignment`: its parts.
- `survey`: the facts of all pairs. `faults`: one fault a file, each finding its problems in a survey.
- `check`: the whole examination, its result and summary. `fix`: a mended copy, with what was changed recorded.
"""
