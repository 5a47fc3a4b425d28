"""The pure core: no I/O, no clock, no framework. README.md states the laws it keeps."""
