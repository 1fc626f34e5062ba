"""Labelled images as Samples, from the layouts people have.

- `dataset`: the nouns: what belongs together, before anything is read. `problem`: a fault of the data, told with file, place and way out.
- `find`: which layout a folder, a file or a zip has, and what is in it. `layouts`: one file a layout.
- `unknown_layout`: what to say where none fits.
- `kind`: classes or objects. `class_list`: what class values and colours mean. `coloured`: masks saved in colours.
- `group`: what belongs together. `split_lists`, `split`: what teaches and what judges, and the files that keep it.
- `load`: an entry's files to a Sample.
- `leaks`: pictures that two splits share; `signature` and `patches`: what is kept of a picture to see that.
- `doctor`: every fault that labelled data can have, and mending.
"""
