"""The ways people lay out labelled images, one a file; `microtome.learn.data.find` tries them in turn."""
