"""Labelled images as Samples, from the layouts people have.

- `dataset`: the nouns: what belongs together, before anything is read.
- `find`: which layout a folder has, and what is in it.
- `layouts`: one file a layout.
- `load`: an entry's files to a Sample.
- `problem`: a fault of the data, told with file, place and way out.
"""
