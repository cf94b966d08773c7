"""FAT file systems (FAT12, FAT16, FAT32, with long names) on anything that has bytes at offsets.

Source: Microsoft, "FAT: General Overview of On-Disk Format" (FAT specification, version 1.03).
"""
