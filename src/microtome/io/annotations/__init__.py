"""Outlines of objects, in the formats that annotation programs read and write.

- `imagej`: ROI files and ROI Manager zips of ImageJ and Fiji.
- `geojson`: feature collections as QuPath writes them.
- `account`: what a conversion kept, and what it lost.
"""
