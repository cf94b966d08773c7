"""Side-by-side benchmarks: bbd and other NBD servers, on one machine, in one run, with interleaved rounds."""
