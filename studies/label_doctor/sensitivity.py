"""How small a shift of a mask the doctor sees, how often it sees a mirrored one, and how often it is wrong about masks that fit.

    MICROTOME_DATA=shared/data .venv/bin/python studies/label_doctor/sensitivity.py

Every mask of every set is shifted in a direction of its own (the golden angle from file to file), and mirrored; the table gives the
share that is named. The column 0 is the share of masks named as they are: false alarms, or real faults.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from microtome.core.events import collect_warnings
from microtome.learn.data.doctor.alignment import measure
from microtome.learn.data.doctor.faults.shifted_mask import is_shifted
from microtome.learn.data.doctor.faults.turned_mask import is_turned
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import load_image, load_truth

SETS = ("camvid", "dsb2018_nuclei/fluorescence", "dsb2018_nuclei/histology", "isbi2012", "penn_fudan", "magnetic_tile")
SHIFTS = (0, 3, 4, 6, 10)
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def main() -> None:
    print("| set | masks | in place | " + " | ".join(f"{shift} px" for shift in SHIFTS) + " | mirrored |\n|---|---|---|" + "---|" * 6)
    for name in SETS:
        with collect_warnings():
            dataset = find_dataset(Path(os.environ["MICROTOME_DATA"]) / name)
        entries = dataset.entries[:: max(len(dataset) // 120, 1)]
        named: dict[int | str, list[bool]] = {shift: [] for shift in (*SHIFTS, "mirrored")}
        in_place = []
        for number, entry in enumerate(entries):
            with collect_warnings():
                image, labels = load_image(entry).pixels, load_truth(dataset, entry).pixels
            for shift in SHIFTS:
                way = (round(shift * np.sin(number * GOLDEN_ANGLE)), round(shift * np.cos(number * GOLDEN_ANGLE)))
                found = measure(image, np.roll(labels, way, (0, 1)))
                if found is not None:
                    named[shift].append(is_shifted(found))
                    in_place += [found.in_place] if shift == 0 else []
            mirrored = measure(image, labels[:, ::-1])
            if mirrored is not None:
                named["mirrored"].append(is_turned(mirrored))
        shares = " | ".join(f"{np.mean(seen):.0%}" for seen in named.values())
        print(f"| {name} | {len(in_place)} | {np.mean(in_place):.0%} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
