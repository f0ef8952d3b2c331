"""Where microscopists live: images that are files, signals of HyperSpy, or arrays of Dask.

Each module has one `run(call)`, which `stemzoo.KINDS` names: it opens the images of its kind, calls
the public function again with what is in them, and closes the images of the result.
"""
